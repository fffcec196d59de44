// Serves stripe-stateful-mock on a free port of 127.0.0.1 and prints where. Its own command line binds every interface.
// NODE_PATH names the node_modules that hold it.

"use strict";

const { createExpressApp } = require("stripe-stateful-mock");

const server = createExpressApp().listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
