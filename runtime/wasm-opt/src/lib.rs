//! What `substrate-wasm-builder` asks of the crate `wasm-opt`: nothing is optimised, debug information
//! goes, and no instruction beyond WebAssembly 1.0 is in what comes out
//! (`docs/design/021-runtime-wasm-passes.md`).
//!
//! Same names as there, as far as they are used. The module is read and written again, which also makes
//! short what a linker left long.

use parity_wasm::elements::{deserialize_buffer, Module, Section};
use std::{fmt, fs, io, path::Path};

/// Bytes of a module that are read at most: far more than a runtime has.
const MAX_BYTES: u64 = 256 << 20;

/// A pass over a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
	/// Takes out the custom sections of DWARF.
	StripDwarf,
	/// Leaves no sign extensions behind. WebAssembly 1.0 has none, and with them nothing is read here.
	SignextLowering,
}

/// What is to be done to a module.
#[derive(Clone, Default, Debug)]
pub struct OptimizationOptions {
	passes: Vec<Pass>,
}

/// Why a module was not written.
#[derive(Debug)]
pub enum OptimizationError {
	/// A file cannot be read or written.
	Io(io::Error),
	/// It is no module of WebAssembly 1.0.
	Module(String),
}

impl fmt::Display for OptimizationError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Io(error) => write!(f, "a wasm file cannot be read or written: {error}"),
			Self::Module(error) => {
				write!(f, "no module of WebAssembly 1.0 ({error}): build it for wasm32v1-none")
			}
		}
	}
}

impl std::error::Error for OptimizationError {}

impl From<io::Error> for OptimizationError {
	fn from(error: io::Error) -> Self {
		Self::Io(error)
	}
}

impl OptimizationOptions {
	/// No optimisation, which is the only level there is here.
	pub fn new_opt_level_0() -> Self {
		Self::default()
	}

	/// Instructions of WebAssembly 1.0 only; others are refused in any case.
	pub fn mvp_features_only(&mut self) -> &mut Self {
		self
	}

	/// Keeps the names of functions; they stay in any case.
	pub fn debug_info(&mut self, _keep: bool) -> &mut Self {
		self
	}

	/// Adds a pass. They run in this order.
	pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
		self.passes.push(pass);
		self
	}

	/// Reads the module in `infile`, runs the passes, and writes it to `outfile`, which may be the same.
	///
	/// # Errors
	///
	/// [`OptimizationError::Io`], [`OptimizationError::Module`]; then `outfile` is as it was, unless it
	/// is the writing that failed.
	pub fn run(
		&self,
		infile: impl AsRef<Path>,
		outfile: impl AsRef<Path>,
	) -> Result<(), OptimizationError> {
		let bytes = fs::metadata(&infile)?.len();
		if bytes > MAX_BYTES {
			return Err(OptimizationError::Module(format!("{bytes} bytes are no runtime")));
		}
		fs::write(outfile, self.pass(&fs::read(infile)?)?)?;
		Ok(())
	}

	fn pass(&self, module: &[u8]) -> Result<Vec<u8>, OptimizationError> {
		let fault =
			|error: parity_wasm::elements::Error| OptimizationError::Module(error.to_string());
		let mut module: Module = deserialize_buffer(module).map_err(fault)?;
		for pass in &self.passes {
			match pass {
				Pass::StripDwarf => strip(&mut module),
				Pass::SignextLowering => {}
			}
		}
		module.into_bytes().map_err(fault)
	}
}

fn strip(module: &mut Module) {
	module.sections_mut().retain(
		|section| !matches!(section, Section::Custom(custom) if custom.name().starts_with(".debug_")),
	);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use parity_wasm::{
		builder::module,
		elements::{CustomSection, Instruction, Instructions, ValueType},
	};

	/// A module with one function of this code, names, and debug information.
	fn written(code: Vec<Instruction>) -> Vec<u8> {
		let mut module = module()
			.function()
			.signature()
			.with_param(ValueType::I32)
			.with_result(ValueType::I32)
			.build()
			.body()
			.with_instructions(Instructions::new(code))
			.build()
			.build()
			.build();
		for name in [".debug_info", ".debug_str", "name", "runtime_version"] {
			let section = CustomSection::new(name.into(), vec![1, 2, 3]);
			module.sections_mut().push(Section::Custom(section));
		}
		module.into_bytes().unwrap()
	}

	fn read(bytes: &[u8]) -> Module {
		deserialize_buffer(bytes).unwrap()
	}

	fn code(module: &Module) -> &[Instruction] {
		module.code_section().unwrap().bodies()[0].code().elements()
	}

	fn customs(module: &Module) -> Vec<&str> {
		module.custom_sections().map(CustomSection::name).collect()
	}

	#[test]
	fn debug_information_should_go_and_the_rest_stay() {
		use Instruction::{End, GetLocal};
		let before = written(vec![GetLocal(0), End]);
		let mut options = OptimizationOptions::new_opt_level_0();
		assert_eq!(options.pass(&before).unwrap(), before);
		let after = options.add_pass(Pass::StripDwarf).pass(&before).unwrap();
		assert_eq!(customs(&read(&after)), ["name", "runtime_version"]);
		assert_eq!(code(&read(&after)), [GetLocal(0), End]);
	}

	#[test]
	fn sign_extensions_should_be_refused() {
		use Instruction::{End, GetLocal, Nop};
		let mut bytes = written(vec![GetLocal(0), Nop, End]);
		let mut options = OptimizationOptions::new_opt_level_0();
		options.add_pass(Pass::SignextLowering);
		assert_eq!(options.pass(&bytes).unwrap(), bytes);
		let code = bytes.windows(4).position(|code| code == [0x20, 0, 0x01, 0x0b]).unwrap();
		// `i32.extend8_s` in the place of `nop`.
		bytes[code + 2] = 0xc0;
		assert!(options.pass(&bytes).unwrap_err().to_string().contains("wasm32v1-none"));
	}

	#[test]
	fn what_is_no_module_should_be_refused() {
		let options = OptimizationOptions::new_opt_level_0();
		let error = options.pass(b"\0asm").unwrap_err();
		assert!(error.to_string().contains("wasm32v1-none"), "{error}");
		let missing = Path::new("/nonexistent/runtime.wasm");
		assert!(matches!(options.run(missing, missing), Err(OptimizationError::Io(_))));
	}
}
