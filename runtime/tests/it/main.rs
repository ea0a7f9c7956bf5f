//! The assembled runtime: real extrinsics in real blocks.
//!
//! | module | what it shows |
//! |---|---|
//! | `chain` | a chain in memory: genesis by preset, blocks through the executive |
//! | `state` | what a block changed beside the fee that a failure costs |
//! | `flow` | accounts, a model, two workers, a gateway, and records that they could have made |
//! | `main_path` | from consent to payment, and what the runtime API says about it |
//! | `retention` | records leave the state, and headers name what they are proven by |
//! | `rewards` | draws, eras, and who gains what |
//! | `bad_input` | what is refused, with which error |
//! | `hot_key` | what the proxies of workers and gateways may do, call by call |
//! | `uptime` | challenges: who is asked, answers, what they come to |
//! | `proxied` | the same through utility, proxy, multisig and sudo |
//! | `governance` | what the council decides, with how many votes, and what it can't |
//! | `upgrade` | from the version before to this one, on a state in its layout |
//! | `presets` | the genesis of each network |
//! | `limits` | weights, lengths, metadata |
//! | `emission` | the supply over all halvings |

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod chain;
mod emission;
mod flow;
mod governance;
mod hot_key;
mod limits;
mod main_path;
mod presets;
mod proxied;
mod retention;
mod rewards;
mod state;
mod upgrade;
mod uptime;
