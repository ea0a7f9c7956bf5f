//! What peers say to each other (`docs/protocol/network.md`): SCALE, in frames with a length.

pub mod advert;
pub mod audit;
pub mod frame;
pub mod pipeline;
pub mod shard;

/// Adverts of what a worker serves.
pub const ADVERT_PROTOCOL: &str = "/aria/advert/1";
/// Orders to stages, and links between them.
pub const PIPELINE_PROTOCOL: &str = "/aria/pipeline/1";
/// Chunks of shards.
pub const SHARD_PROTOCOL: &str = "/aria/shard/1";
/// Signatures over batches of records.
pub const BATCH_PROTOCOL: &str = "/aria/batch/1";
/// What a verifier runs again, from the gateway of a record.
pub const AUDIT_PROTOCOL: &str = "/aria/audit/1";
/// The same, for a stage that is accused.
pub const DISPUTE_PROTOCOL: &str = "/aria/dispute/1";
