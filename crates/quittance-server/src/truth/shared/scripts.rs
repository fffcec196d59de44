//! What Redis does in one step, as scripts of its own: each is whole or not at all, whoever asks beside it.
//!
//! Of each key of a pair there is an entry: a hash with the generation of what is known (`g`), when the question behind the answer
//! was sent, by Redis's own clock (`t`), the answer (`v`), and who is asking (`l`) until when (`u`). Whoever means to ask notes the generation
//! first, and what comes back is kept only under the same one. To forget is to remove the entry, whose next generation is drawn anew: one that
//! was lost, with all of Redis or for want of room, is never guessed to be the same. The era stands in each generation, so that removing it
//! forgets everything.
//!
//! What was heard names a record, which is found by a key of its own (`i:`) that holds the name of the entry that tells of it. The entry in
//! turn holds the name of that key (`i`), and its answer counts only while the two hold together: where Redis dropped the one and not
//! the other, nobody could have had the answer forgotten. The names that are held are not declared as keys of the scripts; all of them lie in
//! one slot.
//!
//! The era is a sorted set: at its front its own name, of score 0, and behind it when something was last heard of which record (`floor`: of
//! one that is not noted any more). So what was heard cannot be dropped without dropping everything that was asked before it.
//!
//! Does not own how keys are named, nor what an answer looks like.

/// Looks at an entry, gives it a generation where it has none, and notes who asks where nothing has changed since the last look.
///
/// Keys: era, entry. Arguments: what a new generation is drawn from, how long an entry is kept for a question (ms), longest answer
/// (bytes), `t` of the last look or `-` for the first, after which nobody asks yet, who would ask, how long others wait for it (ms),
/// how long the era is kept (ms).
/// Answers: generation, `t`, answer (empty where it is none or is the one that was seen), whether it is ours to ask, seconds and
/// microseconds by its clock.
pub(super) const LOOK: &str = r"
local era = redis.pcall('ZRANGE', KEYS[1], 0, 0)[1]
if not era then
  era = ARGV[1]
  redis.call('DEL', KEYS[1])
  redis.call('ZADD', KEYS[1], 0, era)
end
redis.call('PEXPIRE', KEYS[1], ARGV[7])
local known = redis.pcall('HMGET', KEYS[2], 'g', 't', 'u', 'i')
if known.err then known = {} end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local g, t, until_ = known[1], known[2] or '', tonumber(known[3] or '0') or 0
local future = t ~= '' and (tonumber(t) or math.huge) > now
if not g or string.sub(g, 1, #era) ~= era or future then
  redis.call('DEL', KEYS[2])
  g, t, until_ = era .. ARGV[1], '', 0
  redis.call('HSET', KEYS[2], 'g', g)
end
if t ~= '' and (not known[4] or redis.pcall('GET', known[4]) ~= KEYS[2]) then
  redis.call('HDEL', KEYS[2], 't', 'v', 'i')
  t = ''
end
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
local v = ''
if t ~= '' and t ~= ARGV[4] and redis.call('HSTRLEN', KEYS[2], 'v') <= tonumber(ARGV[3]) then
  v = redis.call('HGET', KEYS[2], 'v') or ''
end
local longest = tonumber(ARGV[6]) * 1000
local ours = 0
if t == ARGV[4] and (until_ <= now or until_ > now + 600000000) then
  redis.call('HSET', KEYS[2], 'l', ARGV[5], 'u', string.format('%.0f', now + longest))
  ours = 1
end
return {g, t, v, ours, tonumber(time[1]), tonumber(time[2])}
";

/// Ends a question: nobody asks any more, and the answer is kept unless something was heard since the question was sent, or somebody knows
/// a newer one.
///
/// Keys: era, entry, identity. Arguments: generation, `t`, answer (empty: there is none), how long it is kept (ms), how long it
/// is known whose record it is (ms), who asked. Answers: 1 where it is kept, 0 where somebody knows a newer one, -1 where something was
/// heard.
pub(super) const SETTLE: &str = r"
local known = redis.pcall('HMGET', KEYS[2], 'g', 't', 'l')
if known.err then return 0 end
if known[3] == ARGV[6] then redis.call('HDEL', KEYS[2], 'l', 'u') end
if ARGV[3] == '' then return 0 end
local era = redis.pcall('ZRANGE', KEYS[1], 0, 0)[1]
if not era or known[1] ~= ARGV[1] or string.sub(ARGV[1], 1, #era) ~= era then return -1 end
for _, noted in ipairs({KEYS[3], 'floor'}) do
  local heard = redis.call('ZSCORE', KEYS[1], noted)
  if heard and tonumber(heard) >= tonumber(ARGV[2]) then return -1 end
end
if known[2] and (tonumber(known[2]) or 0) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[2], 't', ARGV[2], 'v', ARGV[3], 'i', KEYS[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('SET', KEYS[3], KEYS[2], 'PX', ARGV[5])
return 1
";

/// Forgets a record, by its key or by what tells it apart, and has everybody hear of it.
///
/// Keys: era, entry, identity. Arguments: channel, message, how long it is known that something was heard (ms), how every name
/// begins, of how many records that is known.
pub(super) const HEARD: &str = r"
local known = redis.pcall('GET', KEYS[3])
redis.call('DEL', KEYS[2], KEYS[3])
if type(known) == 'string' and string.sub(known, 1, #ARGV[4]) == ARGV[4] then redis.call('DEL', known) end
if redis.pcall('ZRANGE', KEYS[1], 0, 0)[1] then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), KEYS[3])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], 1, string.format('%.0f', now - tonumber(ARGV[3]) * 1000))
  if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[5]) then
    local oldest = redis.call('ZRANGE', KEYS[1], 1, 2, 'WITHSCORES')
    if oldest[1] == 'floor' then oldest = {oldest[3], oldest[4]} end
    local floor = math.max(tonumber(oldest[2]), tonumber(redis.call('ZSCORE', KEYS[1], 'floor') or 0))
    redis.call('ZREM', KEYS[1], oldest[1])
    redis.call('ZADD', KEYS[1], string.format('%.0f', floor), 'floor')
  end
end
return redis.call('PUBLISH', ARGV[1], ARGV[2])
";

/// Forgets everything, and has everybody hear of it. Keys: era. Arguments: channel, message.
pub(super) const ALL: &str = r"
redis.call('DEL', KEYS[1])
return redis.call('PUBLISH', ARGV[1], ARGV[2])
";

/// Does all that the other scripts do, where it is nobody's and leaves nothing: what is shared can be shared only where this succeeds.
/// It begins with removing, which a Redis without room does, too.
///
/// Keys: a name of its own. Arguments: how long what it leaves is kept, were it cut off (ms), a channel of its own.
pub(super) const PULSE: &str = r"
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], '1')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'g', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PTTL', KEYS[1])
redis.call('HGET', KEYS[1], 'g')
redis.call('HMGET', KEYS[1], 'g', 't')
redis.call('HSTRLEN', KEYS[1], 'g')
redis.call('HDEL', KEYS[1], 'g')
redis.call('ZADD', KEYS[1], 1, 'g')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('ZRANGE', KEYS[1], 0, 0)
redis.call('ZSCORE', KEYS[1], 'g')
redis.call('ZCARD', KEYS[1])
redis.call('ZREM', KEYS[1], 'g')
redis.call('ZREMRANGEBYSCORE', KEYS[1], 1, 2)
redis.call('TIME')
return redis.call('PUBLISH', ARGV[2], '')
";

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_surroundings::Redis;
    use redis::{Commands, Connection};

    const ERA: &str = "{t}:era";
    const ENTRY: &str = "{t}:e:1";

    fn run<T: redis::FromRedisValue>(client: &mut Connection, code: &str, keys: &[&str], arguments: &[&str]) -> T {
        redis::cmd("EVAL").arg(code).arg(keys.len()).arg(keys).arg(arguments).query(client).expect("it runs")
    }

    /// The generation, and when the question begins.
    fn look(client: &mut Connection, drawn: &str) -> (String, String) {
        let arguments = [drawn, "180000", "1000", "-", "me", "5000", "1000000"];
        type Answer = (String, String, String, i64, i64, i64);
        let (generation, _, _, _, seconds, micros): Answer = run(client, LOOK, &[ERA, ENTRY], &arguments);
        (generation, (seconds * 1_000_000 + micros).to_string())
    }

    fn settle(client: &mut Connection, (generation, asked_at): &(String, String), identity: &str) -> i64 {
        let arguments = [generation, asked_at, "answer", "60000", "60000", "me"];
        run(client, SETTLE, &[ERA, ENTRY, identity], &arguments)
    }

    #[test]
    fn of_more_records_than_are_noted_no_question_from_before_is_kept() {
        let Some(server) = Redis::start("what is heard of many records") else { return };
        let mut client = redis::Client::open(server.url()).expect("an address").get_connection().expect("it listens");
        let question = look(&mut client, "a");
        for no in 1..=9 {
            let (entry, identity) = (format!("{{t}}:e:heard{no}"), format!("{{t}}:i:{no}"));
            let _: i64 = run(&mut client, HEARD, &[ERA, &entry, &identity], &["{t}:heard", "", "180000", "{t}", "4"]);
            assert!(client.zcard::<_, i64>(ERA).expect("a set") <= 5);
        }
        assert_eq!(client.zrange::<_, Vec<String>>(ERA, 0, 1).expect("a set"), ["a", "floor"]);
        for identity in ["{t}:i:1", "{t}:i:9", "{t}:i:never"] {
            assert_eq!(settle(&mut client, &question, identity), -1, "{identity}");
        }
        let later = look(&mut client, "b");
        assert_eq!(settle(&mut client, &later, "{t}:i:1"), 1);
    }
}
