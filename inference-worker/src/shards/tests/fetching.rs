use super::town::{same_files, watched, Manner, Town};
use crate::shards::{silent, Disk, FetchError, SystemDisk};
use aria_primitives::{record::LayerRange, ModelId};
use std::{
	fs::File,
	io,
	path::Path,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_should_come_although_peers_corrupt_truncate_and_stall() {
	let town = Town::new(&[Manner::Corrupts, Manner::Truncates, Manner::Stalls, Manner::Honest]);
	let store = town.newcomer("newcomer");
	let (progress, seen) = watched();
	let package = town.fetcher(&store).fetch(town.model, None, progress).await.unwrap();

	same_files(&town.package(), &package);
	assert_eq!(package.layers_present(), [LayerRange { first: 0, end: 3 }]);
	assert!(store.holdings(&town.model).iter().all(|file| file.present && file.verified));
	let seen = seen.lock().unwrap();
	let total = seen[0].1;
	assert!(total > 0 && seen.iter().all(|(done, all)| *all == total && *done <= total));
	assert_eq!(seen.iter().map(|(done, _)| *done).max(), Some(total));
	assert!(seen.len() >= town.all_chunks());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_send_too_much_or_nonsense_should_be_dropped() {
	let manners = [
		Manner::Endless,
		Manner::Lengthens,
		Manner::Babbles,
		Manner::Delays,
		Manner::Lacks,
		Manner::Unreachable,
		Manner::Honest,
	];
	let town = Town::new(&manners);
	let store = town.newcomer("newcomer");
	let package = town.fetcher(&store).fetch(town.model, None, silent()).await.unwrap();

	same_files(&town.package(), &package);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_honest_peer_the_reasons_should_be_told_and_what_came_be_kept() {
	let town = Town::new(&[Manner::Corrupts, Manner::Truncates, Manner::Stalls]);
	let store = town.newcomer("newcomer");
	let error = town.fetcher(&store).fetch(town.model, None, silent()).await.unwrap_err();

	let FetchError::NoPeer { model, what, tried } = &error else { panic!("{error}") };
	assert_eq!(*model, town.model);
	assert!(what.contains(".safetensors"), "{what}");
	assert!(tried.contains("000000000000: false bytes as chunk"), "{tried}");
	assert!(tried.contains("010101010101: the stream broke"), "{tried}");
	assert!(tried.contains("020202020202: no answer within 0.5 s"), "{tried}");
	assert!(store.package(&town.model).is_none());

	// Each gave three right chunks; none of these is asked for again.
	let before = town.chunks.load(Ordering::SeqCst);
	town.replace(&[Manner::Honest]);
	let package = town.fetcher(&store).fetch(town.model, None, silent()).await.unwrap();
	same_files(&town.package(), &package);
	assert!(before > 3);
	assert!(town.chunks.load(Ordering::SeqCst) - before < town.all_chunks());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_should_get_its_shard_alone_and_more_later() {
	let town = Town::new(&[Manner::Honest, Manner::Honest]);
	let store = town.newcomer("newcomer");
	let fetcher = town.fetcher(&store);
	let middle = LayerRange { first: 1, end: 2 };
	let package = fetcher.fetch(town.model, Some(middle), silent()).await.unwrap();

	assert_eq!(package.files_present(), ["shard-001.safetensors"]);
	assert_eq!(store.layers(&town.model), [middle]);
	same_files(&town.package(), &package);

	let first = LayerRange { first: 0, end: 1 };
	let package = fetcher.fetch(town.model, Some(first), silent()).await.unwrap();
	let files = ["common.safetensors", "shard-000.safetensors", "shard-001.safetensors"];
	assert_eq!(package.files_present(), files);
	same_files(&town.package(), &package);

	// All is here: nobody is asked.
	let before = town.chunks.load(Ordering::SeqCst);
	fetcher.fetch(town.model, Some(middle), silent()).await.unwrap();
	assert_eq!(town.chunks.load(Ordering::SeqCst), before);

	let beyond = LayerRange { first: 2, end: 4 };
	let error = fetcher.fetch(town.model, Some(beyond), silent()).await.unwrap_err();
	assert_eq!(error.to_string(), "layers 2..4 were asked for, and the model has 3");
}

#[tokio::test]
async fn a_registered_package_should_need_no_peer() {
	let town = Town::new(&[]);
	let fetcher = town.fetcher(&town.store);
	let package = fetcher.fetch(town.model, None, silent()).await.unwrap();
	assert_eq!(package.dir, town.package());
	assert!(town.store.holdings(&town.model).iter().all(|file| file.present && !file.verified));

	town.store.verify(&town.model, &mut |_, _| ()).unwrap();
	assert!(town.store.holdings(&town.model).iter().all(|file| file.verified));
}

#[tokio::test]
async fn a_model_that_nobody_has_should_say_so() {
	let town = Town::new(&[Manner::Honest]);
	let store = town.newcomer("newcomer");
	let error = town.fetcher(&store).fetch(ModelId::zero(), None, silent()).await.unwrap_err();
	let FetchError::NoPeer { what, tried, .. } = error else { panic!("{error}") };
	assert_eq!(what, "manifest.scale");
	assert_eq!(tried, "000000000000: does not have it");
}

#[tokio::test]
async fn a_model_should_be_fetched_once_at_a_time() {
	let town = Town::new(&[Manner::Stalls]);
	town.allow(0);
	let store = town.newcomer("newcomer");
	let (one, other) = (town.fetcher(&store), town.fetcher(&store));
	let first = one.fetch(town.model, None, silent());
	tokio::pin!(first);
	let error = tokio::select! {
		biased;
		_ = &mut first => panic!("nobody answers"),
		error = async {
			tokio::time::sleep(std::time::Duration::from_millis(100)).await;
			other.fetch(town.model, None, silent()).await
		} => error.unwrap_err(),
	};
	assert!(matches!(error, FetchError::InUse { .. }), "{error}");
}

/// A disk that is full after so many bytes.
struct Small {
	left: AtomicU64,
	free: u64,
}

impl Disk for Small {
	fn free(&self, _: &Path) -> io::Result<u64> {
		Ok(self.free)
	}

	fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
		let size = bytes.len() as u64;
		let take = |left: u64| left.checked_sub(size);
		if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err() {
			return Err(io::ErrorKind::StorageFull.into());
		}
		SystemDisk.write_at(file, bytes, at)
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_runs_full_should_be_named_and_lose_nothing() {
	let town = Town::new(&[Manner::Honest, Manner::Honest]);
	let store = town.newcomer("newcomer");
	let small = Arc::new(Small { left: AtomicU64::new(700 << 10), free: u64::MAX });
	let fetcher = town.fetcher(&store).with_disk(small);
	let error = fetcher.fetch(town.model, None, silent()).await.unwrap_err();

	let FetchError::DiskFull { path, missing } = &error else { panic!("{error}") };
	assert!(path.to_string_lossy().ends_with(".safetensors.part"), "{error}");
	assert!(*missing > 0);
	assert!(error.to_string().contains(&format!("{missing} more bytes are needed")), "{error}");

	let before = town.chunks.load(Ordering::SeqCst);
	let package = town.fetcher(&store).fetch(town.model, None, silent()).await.unwrap();
	same_files(&town.package(), &package);
	assert!(town.chunks.load(Ordering::SeqCst) - before < town.all_chunks());
}

#[tokio::test]
async fn a_disk_without_room_should_be_told_before_anything_is_fetched() {
	let town = Town::new(&[Manner::Honest]);
	let store = town.newcomer("newcomer");
	let small = Arc::new(Small { left: AtomicU64::new(u64::MAX), free: (16 << 20) + 1_000 });
	let fetcher = town.fetcher(&store).with_disk(small);
	let error = fetcher.fetch(town.model, None, silent()).await.unwrap_err();

	let FetchError::DiskFull { path, missing } = &error else { panic!("{error}") };
	assert_eq!(*path, store.folder(&town.model));
	assert!(*missing > 1_000_000);
	assert_eq!(town.chunks.load(Ordering::SeqCst), 0);
}
