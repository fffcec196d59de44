//! Bytes of which no more than their digest is kept.

use sha2::{Digest, Sha256};

/// What a digest begins with; nothing that is kept as it came does, for that is JSON.
const DIGEST: &[u8] = b"sha256:";

/// Whether only the digest of bytes is kept.
pub(super) fn is_pruned(bytes: &[u8]) -> bool {
    bytes.starts_with(DIGEST)
}

/// Keeps no more of bytes than their SHA-256, and says how many bytes less that is.
pub(super) fn prune(bytes: &mut Vec<u8>) -> usize {
    if is_pruned(bytes) {
        return 0;
    }
    let digest: String = Sha256::digest(&*bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let pruned = [DIGEST, digest.as_bytes()].concat();
    let less = bytes.len().saturating_sub(pruned.len());
    *bytes = pruned;
    less
}
