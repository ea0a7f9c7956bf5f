//! Doors between the loopback interface of a namespace and this machine's, for what is no part of the
//! network that the test is about: the chain's RPC, administration, HTTP. A socket in the file system
//! leads through; a second process of the test stands on its other side.

use super::Namespace;
use anyhow::{ensure, Context, Result};
use std::{
	env, fs,
	net::Ipv4Addr,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	time::{Duration, Instant},
};
use tokio::{
	io::{copy_bidirectional, AsyncReadExt},
	net::{TcpListener, TcpStream, UnixListener, UnixStream},
	task::JoinSet,
	time::sleep,
};

/// Where the other side is told what to do: a line for each door.
const DOORS: &str = "ARIA_E2E_DOORS";
/// The file that says that all doors of a namespace are open.
const OPEN: &str = "open";
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Doors into one namespace. They close when dropped.
pub struct Doors {
	child: Child,
	_tasks: JoinSet<()>,
}

impl Drop for Doors {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

impl Doors {
	/// Makes the port `out` of this machine reachable in `namespace`, and what will listen on the ports of
	/// the listeners `into` there reachable from here at the same ports. `helper` is the name of the test
	/// that calls [`attend`]; `dir` is an empty folder.
	///
	/// # Errors
	/// Where the other side does not come up.
	pub async fn open(
		namespace: &Namespace,
		dir: &Path,
		helper: &str,
		out: u16,
		into: Vec<TcpListener>,
	) -> Result<Self> {
		let mut tasks = JoinSet::new();
		let mut lines = Vec::new();
		let socket = dir.join(format!("{out}"));
		let outside = UnixListener::bind(&socket)?;
		lines.push(format!("listen {out} {}", socket.display()));
		tasks.spawn(async move {
			let mut passing = JoinSet::new();
			while let Ok((stream, _)) = outside.accept().await {
				while passing.try_join_next().is_some() {}
				passing.spawn(pass(stream, TcpStream::connect((Ipv4Addr::LOCALHOST, out))));
			}
		});
		for listener in into {
			let port = listener.local_addr()?.port();
			let socket = dir.join(format!("{port}"));
			lines.push(format!("connect {port} {}", socket.display()));
			tasks.spawn(async move {
				let mut passing = JoinSet::new();
				while let Ok((stream, _)) = listener.accept().await {
					while passing.try_join_next().is_some() {}
					let socket = socket.clone();
					passing.spawn(pass(stream, UnixStream::connect(socket)));
				}
			});
		}
		lines.push(format!("{OPEN} 0 {}", dir.join(OPEN).display()));
		let child = Command::new("ip")
			.args(["netns", "exec", namespace.name()])
			.arg(env::current_exe().context("this test does not know where it lies")?)
			.args(["--exact", helper, "--ignored", "--nocapture", "--test-threads", "1"])
			.env(DOORS, lines.join("\n"))
			// It ends when this process does.
			.stdin(Stdio::piped())
			.stdout(Stdio::null())
			.stderr(Stdio::null())
			.spawn()
			.context("the other side of the doors can't be started")?;
		let doors = Self { child, _tasks: tasks };
		let deadline = Instant::now() + PATIENCE;
		while !dir.join(OPEN).is_file() {
			ensure!(Instant::now() < deadline, "the doors of {} don't open", namespace.name());
			sleep(Duration::from_millis(20)).await;
		}
		Ok(doors)
	}
}

/// Passes bytes on between two streams until one ends.
async fn pass<A, B>(mut near: A, far: impl std::future::Future<Output = std::io::Result<B>>)
where
	A: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
	B: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
	if let Ok(mut far) = far.await {
		let _ = copy_bidirectional(&mut near, &mut far).await;
	}
}

/// The other side: in a namespace, with the doors that the environment names, until the process that
/// wants them ends. Nothing where it names none.
///
/// # Errors
/// A port or a socket that is taken.
pub async fn attend() -> Result<()> {
	let Ok(doors) = env::var(DOORS) else { return Ok(()) };
	let mut tasks = JoinSet::new();
	for line in doors.lines() {
		let mut words = line.splitn(3, ' ');
		let (Some(what), Some(port), Some(path)) = (words.next(), words.next(), words.next())
		else {
			continue;
		};
		let (port, path): (u16, PathBuf) = (port.parse()?, path.into());
		match what {
			"listen" => {
				let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
				tasks.spawn(async move {
					let mut passing = JoinSet::new();
					while let Ok((stream, _)) = listener.accept().await {
						while passing.try_join_next().is_some() {}
						passing.spawn(pass(stream, UnixStream::connect(path.clone())));
					}
				});
			}
			"connect" => {
				let listener = UnixListener::bind(&path)?;
				tasks.spawn(async move {
					let mut passing = JoinSet::new();
					while let Ok((stream, _)) = listener.accept().await {
						while passing.try_join_next().is_some() {}
						let inside = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
						passing.spawn(pass(stream, inside));
					}
				});
			}
			_ => fs::write(&path, b"")?,
		}
	}
	let mut rest = [0; 16];
	let mut stdin = tokio::io::stdin();
	while matches!(stdin.read(&mut rest).await, Ok(read) if read > 0) {}
	Ok(())
}
