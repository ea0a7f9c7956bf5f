//! The chains that this node knows by name, and the files that describe others.

use aria_runtime::opaque::Block;
use sc_chain_spec::{
	ChainSpecExtension, ChainType, GenericChainSpec, Properties, DEV_RUNTIME_PRESET,
	LOCAL_TESTNET_RUNTIME_PRESET,
};
use sc_service::ChainSpec as AnyChainSpec;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The chain specification of ARIA: the runtime's genesis, and [`Extensions`].
pub type ChainSpec = GenericChainSpec<Extensions>;

/// What a specification says besides genesis. Each is `null` until somebody needs it.
#[derive(Default, Clone, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub struct Extensions {
	/// Blocks that must have the given hash at their height.
	pub fork_blocks: sc_client_api::ForkBlocks<Block>,
	/// Blocks that are never imported.
	pub bad_blocks: sc_client_api::BadBlocks<Block>,
	/// A final block that light clients start from; `sync_state_genSyncSpec` fills it in.
	pub light_sync_state: sc_sync_state_rpc::LightSyncStateExtension,
}

/// The specification that `--chain ID` means: `dev`, `local` (also without an id), or a path.
///
/// Errors when the file cannot be read as a specification, and when the binary carries no runtime.
pub fn load(id: &str) -> Result<Box<dyn AnyChainSpec>, String> {
	Ok(Box::new(match id {
		"dev" => development()?,
		"" | "local" => local_testnet()?,
		path => ChainSpec::from_json_file(PathBuf::from(path)).map_err(|error| {
			format!("{error}. --chain takes `dev`, `local` or the path of a specification.")
		})?,
	}))
}

/// Whether the chain is made by one node alone, which seals and finalises every block itself.
pub fn is_development(spec: &dyn AnyChainSpec) -> bool {
	spec.chain_type() == ChainType::Development
}

/// A chain of one node, with funded accounts whose keys everybody knows.
fn development() -> Result<ChainSpec, String> {
	build("ARIA Development", "aria_dev", ChainType::Development, DEV_RUNTIME_PRESET)
}

/// A chain of four validators (Alice to Dave) on one machine.
fn local_testnet() -> Result<ChainSpec, String> {
	build("ARIA Local Testnet", "aria_local", ChainType::Local, LOCAL_TESTNET_RUNTIME_PRESET)
}

fn build(name: &str, id: &str, kind: ChainType, preset: &str) -> Result<ChainSpec, String> {
	let wasm = aria_runtime::WASM_BINARY.ok_or(
		"this aria-node carries no runtime, because it was built with SKIP_WASM_BUILD set: \
		 build it again without, or give --chain the path of a raw specification",
	)?;

	Ok(ChainSpec::builder(wasm, Extensions::default())
		.with_name(name)
		.with_id(id)
		.with_chain_type(kind)
		.with_protocol_id("aria")
		.with_properties(properties())
		.with_genesis_config_preset_name(preset)
		.build())
}

/// How wallets show amounts and addresses.
fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), "ARIA".into());
	properties.insert("tokenDecimals".into(), 12.into());
	properties.insert("ss58Format".into(), 42.into());
	properties
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn named_chains_should_have_their_own_ids() {
		for (name, id, development) in
			[("dev", "aria_dev", true), ("local", "aria_local", false), ("", "aria_local", false)]
		{
			match load(name) {
				Ok(spec) => {
					assert_eq!(spec.id(), id);
					assert_eq!(is_development(spec.as_ref()), development);
					assert_eq!(spec.properties(), properties());
				}
				Err(error) => assert!(error.contains("SKIP_WASM_BUILD"), "{error}"),
			}
		}
	}

	#[test]
	fn a_specification_should_have_room_for_a_light_client_checkpoint() {
		if let Ok(spec) = load("local") {
			assert!(sc_chain_spec::get_extension::<sc_sync_state_rpc::LightSyncStateExtension>(
				spec.extensions()
			)
			.is_some());
		}
	}

	#[test]
	fn an_unknown_chain_should_be_refused_with_advice() {
		let error = load("no-such-chain").err();

		assert!(error.is_some_and(|error| error.contains("`dev`")));
	}
}
