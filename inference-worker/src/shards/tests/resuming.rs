use super::town::{same_files, Manner, Town};
use crate::shards::{silent, FetchOptions, PackageStore};
use std::{
	fs,
	path::PathBuf,
	sync::{atomic::Ordering, Arc},
	time::Duration,
};
use tokio::time::{sleep, timeout};

const HEAD: usize = 40;
const RECORD: usize = 40;
const JOURNAL: &str = "shard-000.safetensors.part.journal";

/// A transfer that ended without a farewell in the middle of the first shard: the folder, and chunks that
/// are in files with a name.
async fn interrupted(town: &Arc<Town>, store: &Arc<PackageStore>) -> (PathBuf, usize) {
	let package = town.store.package(&town.model).unwrap();
	let common = aria_engine::package::layout::layouts(&package.manifest).unwrap();
	let common = common.iter().filter(|layout| layout.file == 0);
	let common: usize = common.map(|layout| layout.chunk_count()).sum();
	town.allow(isize::try_from(common).unwrap() + 6);
	let patient = FetchOptions { answer: Duration::from_secs(60), depth: 2, ..Default::default() };
	let fetcher = town.fetcher(store).with_options(patient);
	let late = timeout(Duration::from_secs(3), fetcher.fetch(town.model, None, silent())).await;
	assert!(late.is_err(), "the peers fell silent, and all is there");
	// What was being written is written.
	sleep(Duration::from_millis(200)).await;

	let folder = store.folder(&town.model);
	assert!(folder.join("common.safetensors").is_file());
	assert!(folder.join("shard-000.safetensors.part").is_file());
	assert!(!folder.join("manifest.scale").exists());
	town.allow(isize::MAX);
	town.chunks.store(0, Ordering::SeqCst);
	(folder, common)
}

fn records(folder: &std::path::Path) -> usize {
	let journal = fs::read(folder.join(JOURNAL)).unwrap();
	assert_eq!((journal.len() - HEAD) % RECORD, 0);
	(journal.len() - HEAD) / RECORD
}

async fn resume(town: &Arc<Town>, store: &Arc<PackageStore>) -> usize {
	let package = town.fetcher(store).fetch(town.model, None, silent()).await.unwrap();
	same_files(&town.package(), &package);
	town.chunks.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_recorded_should_not_be_fetched_again() {
	let town = Town::new(&[Manner::Honest, Manner::Honest]);
	let store = town.newcomer("newcomer");
	let (folder, named) = interrupted(&town, &store).await;
	let recorded = records(&folder);
	assert_eq!(recorded, 6);

	// As a new process would find it.
	let store = PackageStore::open(store.root()).unwrap();
	assert!(store.models().is_empty());
	assert_eq!(resume(&town, &store).await, town.all_chunks() - named - recorded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_journal_should_cost_only_what_it_does_not_say() {
	let town = Town::new(&[Manner::Honest]);
	let store = town.newcomer("newcomer");
	let (folder, named) = interrupted(&town, &store).await;
	let recorded = records(&folder);
	let mut journal = fs::read(folder.join(JOURNAL)).unwrap();
	// The first record has another leaf; one names a chunk that the file doesn't have; one is cut short.
	journal[HEAD + 20] ^= 1;
	journal.extend([0xFF; RECORD]);
	journal.extend([1; RECORD / 2]);
	fs::write(folder.join(JOURNAL), journal).unwrap();

	assert_eq!(resume(&town, &store).await, town.all_chunks() - named - recorded + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_not_what_was_recorded_should_be_fetched_again() {
	let town = Town::new(&[Manner::Honest]);
	let store = town.newcomer("newcomer");
	let (folder, named) = interrupted(&town, &store).await;
	let part = folder.join("shard-000.safetensors.part");
	let length = fs::metadata(&part).unwrap().len();
	fs::write(&part, vec![0xA5; usize::try_from(length).unwrap()]).unwrap();

	assert_eq!(resume(&town, &store).await, town.all_chunks() - named);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_of_something_else_should_count_for_nothing() {
	let town = Town::new(&[Manner::Honest]);
	let store = town.newcomer("newcomer");
	let (folder, named) = interrupted(&town, &store).await;
	let mut journal = fs::read(folder.join(JOURNAL)).unwrap();
	journal[10] ^= 1;
	fs::write(folder.join(JOURNAL), journal).unwrap();

	assert_eq!(resume(&town, &store).await, town.all_chunks() - named);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discarded_file_should_be_fetched_again() {
	let town = Town::new(&[Manner::Honest]);
	let store = town.newcomer("newcomer");
	resume(&town, &store).await;
	let before = town.chunks.swap(0, Ordering::SeqCst);
	assert_eq!(before, town.all_chunks());

	store.discard(&town.model, "shard-002.safetensors").unwrap();
	assert_eq!(store.layers(&town.model)[0].end, 2);
	assert!(store.discard(&town.model, "../../shard-002.safetensors").is_err());
	let again = resume(&town, &store).await;
	assert!(again > 0 && again < before);
	assert_eq!(store.layers(&town.model)[0].end, 3);
}
