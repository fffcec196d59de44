//! What pages refer to: one style, one script, one icon. Each has the digest of its bytes in its name, so that it can be kept for
//! ever; a new release has other names.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// One file.
struct Asset {
    name: String,
    media_type: &'static str,
    bytes: &'static [u8],
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        asset("style", "css", "text/css; charset=utf-8", include_bytes!("assets/style.css")),
        asset("live", "js", "text/javascript; charset=utf-8", include_bytes!("assets/live.js")),
        asset("icon", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
    ]
});

fn asset(stem: &str, ending: &str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let digest: String = Sha256::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Asset { name: format!("{stem}-{digest}.{ending}"), media_type, bytes }
}

/// Where style, script and icon are.
pub(super) fn addresses() -> [String; 3] {
    ASSETS.each_ref().map(|asset| format!("/dashboard/assets/{}", asset.name))
}

/// `GET /dashboard/assets/{name}`
pub(super) async fn show(Path(name): Path<String>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)), (header::CACHE_CONTROL, forever)];
    (headers, asset.bytes).into_response()
}
