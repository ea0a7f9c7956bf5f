//! `aria-worker model register`: a model's manifest to the chain.

use super::{
	common::{self, grouped},
	find,
};
use anyhow::{ensure, Result};
use aria_chain_client::{At, Call, Chain, SubmitError};
use aria_primitives::{AccountId, BlockNumber, ModelId};
use aria_worker::run::{
	common::account,
	config::{Amount, Config, Flags},
};
use clap::Args;
use sp_core::{crypto::Ss58Codec, sr25519};
use std::path::PathBuf;

/// Put a model on the chain: its manifest, whose hash is the model's id
///
/// The account pays a deposit for the manifest's bytes, which is said first and comes back when the model
/// is unregistered. A model earns nothing before it is pinned, which the chain's governance decides; on a
/// development chain the sudo key does (--sudo). What is done already is left as it is.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  aria-worker model register models/aria-wordnet --suri //Alice --sudo --alias aria-wordnet
  aria-worker model register /data/my-model --config owner.toml --node wss://node.example")]
pub struct RegisterArgs {
	/// Folder of the package; its manifest and tokenizer are enough
	#[arg(value_name = "DIR")]
	dir: PathBuf,

	/// Pin the model too, as the chain's sudo key: the account has to be that key
	#[arg(long)]
	sudo: bool,

	/// Name the model so: 3 to 64 of a-z, 0-9, . and -, a letter first
	#[arg(long, value_name = "NAME", value_parser = alias, requires = "sudo")]
	alias: Option<String>,

	/// Configuration [default: ~/.config/aria/worker.toml, if it is there]
	#[arg(long, value_name = "FILE")]
	config: Option<PathBuf>,

	/// Folder with the account's key, if none is named [default: ~/.local/share/aria/worker]
	#[arg(long, value_name = "DIR", env = "ARIA_BASE_PATH")]
	base_path: Option<PathBuf>,

	/// The account, as for `aria-worker run`
	#[arg(long, value_name = "URI", env = "ARIA_SURI", hide_env_values = true)]
	suri: Option<String>,

	/// The chain's node [default: ws://127.0.0.1:9944]
	#[arg(long, value_name = "URL", env = "ARIA_NODE")]
	node: Option<String>,
}

/// A name that the chain takes.
fn alias(text: &str) -> Result<String, String> {
	let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
	let valid = (3..=64).contains(&text.len())
		&& text.starts_with(|first: char| first.is_ascii_lowercase())
		&& text.bytes().all(allowed);
	match valid {
		true => Ok(text.to_owned()),
		false => Err("it is no alias: 3 to 64 of a-z, 0-9, . and -, a letter first".to_owned()),
	}
}

/// Runs the command.
pub fn run(args: RegisterArgs) -> Result<()> {
	let RegisterArgs { dir, sudo, alias, config, base_path, suri, node } = args;
	let package = common::open(find::model(Some(dir))?)?;
	let config = Config::load(Flags { config, base_path, suri, node, ..Flags::default() })?;
	let (pair, account) = account(&config)?;
	let (model, manifest) = (package.model_id(), package.manifest.to_bytes());
	say!("model id    {model:?}");
	super::run::runtime()?.block_on(async {
		let chain = Chain::connect(&config.node, None).await?;
		let owner = Owner { chain, pair, account };
		owner.register(model, manifest).await?;
		let pinned = if sudo {
			owner.decide(model, alias.as_deref()).await?;
			true
		} else {
			owner.is_pinned(model).await?
		};
		if pinned {
			eprintln!("Gateways can sell it now, and workers serve it: docs/operations/gateway.md");
		} else {
			eprintln!(
				"It earns nothing until the chain's governance pins it: ModelRegistry.pin as root, or \
				 this command again with --sudo and the sudo key"
			);
		}
		Ok(())
	})
}

/// Whose model it becomes.
struct Owner {
	chain: Chain,
	pair: sr25519::Pair,
	account: AccountId,
}

impl Owner {
	/// Registers the manifest, if it is not on chain yet.
	async fn register(&self, model: ModelId, manifest: Vec<u8>) -> Result<()> {
		let Self { chain, account, .. } = self;
		let already = "registered  already: nothing is put on hold";
		if chain.manifest(model, At::Best).await?.is_some() {
			say!("{already}");
			return Ok(());
		}
		let constants = chain.constants();
		let deposit = constants.model_deposit(manifest.len());
		let address = account.to_ss58check();
		say!(
			"deposit     {} ARIA of {address}, for a manifest of {} bytes",
			Amount(deposit),
			grouped(manifest.len() as u64)
		);
		let funds = chain.balance(account, At::Best).await?;
		let free = funds.spendable(constants.existential_deposit);
		// The fee comes on top of it.
		ensure!(
			free > deposit,
			"the account {address} has {} ARIA free, and {} are put on hold: transfer to it, or name \
			 another account with --suri",
			Amount(free),
			Amount(deposit)
		);
		match self.submit("the model is not registered", Call::RegisterModel(manifest)).await? {
			Done::InBlock(number) => say!("registered  in block {number}"),
			Done::Before => say!("{already}"),
		}
		Ok(())
	}

	/// Whether the model may earn.
	async fn is_pinned(&self, model: ModelId) -> Result<bool> {
		let pinned = self.chain.models(At::Best).await?;
		Ok(pinned.iter().any(|view| view.id == model && view.pinned))
	}

	/// Pins and names the model with the sudo key, as far as that is missing.
	async fn decide(&self, model: ModelId, alias: Option<&str>) -> Result<()> {
		let pinned = self.is_pinned(model).await?;
		let named = match alias {
			Some(alias) => self.chain.resolve_alias(alias, At::Best).await?,
			None => None,
		};
		let calls = missing(model, pinned, alias, named);
		let set_alias = calls.iter().any(|call| matches!(call, Call::SetAlias { .. }));
		let block = match as_root(calls) {
			None => None,
			Some(call) => {
				match self.submit("the model is registered, but not pinned or named", call).await? {
					Done::InBlock(number) => Some(number),
					Done::Before => None,
				}
			}
		};
		let when = |done: bool| match block {
			Some(number) if done => format!("in block {number}"),
			_ => "already".to_owned(),
		};
		say!("pinned      {}", when(!pinned));
		if let Some(alias) = alias {
			say!("alias       {alias}, {}", when(set_alias));
		}
		if let (Some(alias), Some(other)) = (alias, named.filter(|other| *other != model)) {
			eprintln!("{alias} named {other:?} before");
		}
		Ok(())
	}

	/// Sends a call and waits until a block holds it; `failure` says what is missing otherwise.
	async fn submit(&self, failure: &'static str, call: Call) -> Result<Done> {
		match self.chain.submit(&self.pair, call).await {
			Ok(included) => Ok(Done::InBlock(included.number)),
			// Somebody else did it meanwhile.
			Err(error) if is_done(&error) => Ok(Done::Before),
			Err(error) => {
				let hint = hint(&error);
				Err(anyhow::Error::from(error).context(format!("{failure}{hint}")))
			}
		}
	}
}

/// When something was done.
enum Done {
	/// Just now.
	InBlock(BlockNumber),
	/// By somebody else, since it was looked at.
	Before,
}

/// What governance has still to do, where `named` is what the alias names now.
fn missing(model: ModelId, pinned: bool, alias: Option<&str>, named: Option<ModelId>) -> Vec<Call> {
	let pin = (!pinned).then_some(Call::Pin(model));
	let name = alias.filter(|_| named != Some(model));
	let name = name.map(|name| Call::SetAlias { name: name.to_owned(), model });
	pin.into_iter().chain(name).collect()
}

/// The calls as root: all take effect, or none.
fn as_root(calls: Vec<Call>) -> Option<Call> {
	match <[Call; 1]>::try_from(calls) {
		Ok([call]) => Some(Call::sudo(call)),
		Err(calls) if calls.is_empty() => None,
		Err(calls) => Some(Call::sudo(Call::BatchAll(calls))),
	}
}

/// Whether the chain says that there is nothing left to do.
fn is_done(error: &SubmitError) -> bool {
	error.name() == Some("ModelRegistry::AlreadyRegistered")
}

/// What the owner can do about an error; nothing where the error says it itself.
fn hint(error: &SubmitError) -> &'static str {
	match error.name() {
		Some("Sudo::RequireSudo") => {
			": the account is not the chain's sudo key, name that one with --suri (//Alice on a \
			 development chain)"
		}
		Some("BadOrigin") => ": this chain's governance decides that, and not its sudo key",
		Some("ModelRegistry::TooManyPinned") => {
			": unpin a model that is no longer needed first, with ModelRegistry.unpin"
		}
		Some("ModelRegistry::TooManyAliases") => {
			": remove one of its aliases first, with ModelRegistry.remove_alias"
		}
		Some("ModelRegistry::AlreadyPinned" | "ModelRegistry::AliasUnchanged") => {
			": somebody else was faster with a part of it, try again"
		}
		Some(name) if name.starts_with("ModelRegistry::") => {
			": the chain does not take this manifest, see docs/protocol/manifest.md"
		}
		Some(name) if name.starts_with("Token::") => ": transfer more to the account",
		_ => "",
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use clap::Parser;
	use sp_core::H256;

	#[derive(Parser)]
	struct Line {
		#[command(flatten)]
		args: RegisterArgs,
	}

	fn parse(line: &[&str]) -> Option<RegisterArgs> {
		let line = std::iter::once("register").chain(line.iter().copied());
		Line::try_parse_from(line).ok().map(|line| line.args)
	}

	fn failed(name: &str) -> SubmitError {
		SubmitError::Failed { name: name.to_owned(), block: H256::zero(), number: 1 }
	}

	#[test]
	fn arguments_should_be_read() {
		let args = parse(&["dir", "--suri", "//Alice", "--sudo", "--alias", "aria-2b.1"]).unwrap();
		assert!(args.sudo && args.alias.as_deref() == Some("aria-2b.1"));
		assert!(!parse(&["dir"]).unwrap().sudo);
		assert!(parse(&[]).is_none());
		// A name is governance's to give.
		assert!(parse(&["dir", "--alias", "aria-demo"]).is_none());
		let long = "a".repeat(65);
		for name in ["ab", "1abc", "Abc", "ab c", "äbc", "-abc", long.as_str()] {
			assert!(parse(&["dir", "--sudo", &format!("--alias={name}")]).is_none(), "{name}");
		}
		assert!(alias(&"a".repeat(64)).is_ok());
	}

	#[test]
	fn only_what_is_missing_should_be_asked_of_governance() {
		let (model, other) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let name = Call::SetAlias { name: "abc".to_owned(), model };
		let calls = |pinned, named| missing(model, pinned, Some("abc"), named);

		assert_eq!(calls(false, None), [Call::Pin(model), name.clone()]);
		assert_eq!(calls(true, Some(other)), [name]);
		assert_eq!(calls(false, Some(model)), [Call::Pin(model)]);
		assert!(calls(true, Some(model)).is_empty());
		assert!(missing(model, true, None, None).is_empty());
	}

	#[test]
	fn governance_should_do_all_or_nothing() {
		let calls = vec![Call::Pin(H256::zero()), Call::Drain];

		assert_eq!(as_root(Vec::new()), None);
		assert_eq!(as_root(vec![Call::Drain]), Some(Call::sudo(Call::Drain)));
		assert_eq!(as_root(calls.clone()), Some(Call::sudo(Call::BatchAll(calls))));
	}

	#[test]
	fn errors_should_say_what_to_do() {
		assert!(is_done(&failed("ModelRegistry::AlreadyRegistered")));
		assert!(!is_done(&failed("ModelRegistry::AlreadyPinned")));
		assert!(hint(&failed("Sudo::RequireSudo")).contains("--suri"));
		assert!(hint(&failed("ModelRegistry::BadShards")).contains("manifest.md"));
		assert!(hint(&failed("Token::FundsUnavailable")).contains("transfer"));
	}
}
