//! Text to tokens and back.
//!
//! | module | what it does |
//! |---|---|
//! | [`tokenizer`] | `tokenizer.json` and the chat template of a package |
//! | [`template`] | messages to one prompt |
//! | [`stream`] | tokens to text while they are drawn |
//! | [`stop`] | stop sequences in that text |
//!
//! What the manifest does not fix is not used: both files are the bytes whose hashes it holds
//! (`docs/protocol/query.md`).

pub mod stop;
pub mod stream;
pub mod template;
pub mod tokenizer;

pub use stop::StopScanner;
pub use stream::TokenStream;
pub use template::{ChatTemplate, Message, RenderOptions};
pub use tokenizer::ChatTokenizer;
