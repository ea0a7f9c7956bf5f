//! An executor that lies in some of its records, epoch after epoch, until it is caught.

use super::{
	aria,
	court::{audit, Matter, Panel, Ruling, Stand, Verdict},
	outcome::{Caught, Trial},
	rules::{Setting, DRAW_DELAY, UNVESTED_FACTOR, VESTING_EPOCHS},
	Revenue,
};
use crate::random::Random;
use aria_math::{
	audit::{draw_probability_ppm, failure, liability, record_limit, shared_limit, silence},
	draw::draw,
	reputation::audit_probability_ppm,
	Balance, ARIA, PPM,
};
use std::collections::VecDeque;

/// Epochs after which a campaign ends by itself.
const HORIZON: u64 = 200;

/// Times that an audit without a seat is drawn again where somebody has to look.
const REDRAWS: u32 = 20;

/// What the stages behind a scapegoat have at stake, in planck: where nothing else does, that limits
/// what may be unvested.
const BEHIND: Balance = 30 * ARIA;

/// A gateway's stake.
const GATEWAY_STAKE: Balance = 100 * ARIA;

/// Most blocks that an author can choose to leave out at the end of an epoch.
const MOST_SKIPPED: u32 = 8;

/// What author and emission pay for a block, in ARIA.
pub const BLOCK_PAY: f64 = 0.1;

/// How a campaign is led.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
	/// The price of a record's tokens.
	pub price: Balance,
	/// Of what stages and emission get, the attackers' part in ppm.
	pub share_ppm: u32,
	/// Whether the gateway is one of them.
	pub gateway: bool,
	/// The part of the records that are false, in ppm.
	pub false_ppm: u32,
	/// Records of an epoch.
	pub records: u32,
	/// The stake of the stage that is to blame.
	pub stake: Balance,
	/// Whether it is the first of several stages of one attacker, with few layers, and the others'
	/// shares are what the attack is for.
	pub scapegoat: bool,
	/// Its reputation.
	pub reputation: u32,
	/// Whether every record is false as soon as a false one is drawn.
	pub endgame: bool,
	/// Whether the gateway hands over to friends alone.
	pub withheld: bool,
	/// What friends among the verifiers say.
	pub stand: Stand,
	/// The attackers' part of the blocks, with which they choose among seeds, in ppm.
	pub blocks_ppm: u32,
}

impl Default for Plan {
	fn default() -> Self {
		Self {
			price: super::PRICE,
			share_ppm: PPM,
			gateway: false,
			false_ppm: PPM,
			records: 20,
			stake: super::STAKE,
			scapegoat: false,
			reputation: PPM,
			endgame: true,
			withheld: false,
			stand: Stand::Truth,
			blocks_ppm: 0,
		}
	}
}

/// What an epoch earned and has not been paid yet. In planck.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
	epoch: u64,
	/// By false records.
	lies: Balance,
	/// By true ones.
	work: Balance,
	/// When its last audit is decided.
	decided: u64,
}

/// A verdict to come.
#[derive(Clone, Copy, Debug)]
struct Pending {
	at: u64,
	settled: u64,
	verdict: Verdict,
}

/// A campaign on its way.
struct Run<'a> {
	plan: &'a Plan,
	setting: &'a Setting,
	panel: &'a Panel,
	/// What a false record is worth to the attackers.
	value: Balance,
	/// What it takes from its requester.
	price: Balance,
	/// What of that is for its tokens.
	tokens: Balance,
	probability_ppm: u32,
	stake: Balance,
	gateway_stake: Balance,
	buckets: VecDeque<Bucket>,
	pending: Vec<Pending>,
	lies: u64,
	alarmed: Option<u64>,
	gain: Balance,
	cost: Balance,
	skipped: f64,
	caught: Option<Caught>,
}

/// Leads a campaign to its end.
pub fn lead(random: &mut Random, plan: &Plan, setting: &Setting, panel: &Panel) -> Trial {
	let at_stake = liability(plan.stake, &setting.parameters);
	let (price, probability_ppm) = if setting.rules.price_in_draw {
		let price = plan.price.min(record_limit(at_stake));
		let parameters = &setting.parameters;
		(price, draw_probability_ppm(plan.reputation, price, at_stake, parameters))
	} else {
		(plan.price, audit_probability_ppm(plan.reputation, setting.parameters.floor_ppm))
	};
	let revenue = Revenue::of(price);
	let whole = revenue.stages() / Balance::from(PPM) * Balance::from(plan.share_ppm);
	let value = if plan.gateway { whole.saturating_add(revenue.parts.gateway) } else { whole };
	let mut run = Run {
		plan,
		setting,
		panel,
		value,
		price: revenue.paid,
		tokens: price,
		probability_ppm,
		stake: plan.stake,
		gateway_stake: GATEWAY_STAKE,
		buckets: VecDeque::new(),
		pending: Vec::new(),
		lies: 0,
		alarmed: None,
		gain: 0,
		cost: 0,
		skipped: 0.0,
		caught: None,
	};
	let mut epoch = 0;
	loop {
		run.decide(random, epoch);
		run.vest(epoch);
		let active = run.caught.is_none() && epoch < HORIZON;
		if active {
			run.work(random, epoch);
		} else if run.buckets.is_empty() && run.pending.is_empty() {
			break;
		}
		epoch += 1;
	}
	Trial {
		cost: aria(run.cost) + run.skipped,
		gain: aria(run.gain),
		damage: aria(run.gain),
		caught: run.caught,
	}
}

impl Run<'_> {
	/// An epoch's records, and the lots that will fall on them.
	fn work(&mut self, random: &mut Random, epoch: u64) {
		let alarmed = self.alarmed.is_some_and(|at| at <= epoch);
		let false_ppm = if alarmed && self.plan.endgame { PPM } else { self.plan.false_ppm };
		let rules = self.setting.rules;
		// Of shared records and those of a gateway the prices count, of one's own what they are worth.
		let (room, each) = match (self.plan.scapegoat, self.plan.withheld) {
			(true, _) if rules.bound_shared => (shared_limit(self.plan.stake), self.price),
			(true, _) => (BEHIND.saturating_mul(UNVESTED_FACTOR), self.value),
			(_, true) if rules.bound_gateway => (shared_limit(self.gateway_stake), self.tokens),
			_ => (self.plan.stake.saturating_mul(UNVESTED_FACTOR), self.value),
		};
		let scale = |worth: Balance| worth / self.value.max(1) * each;
		let mut unvested: Balance =
			self.buckets.iter().map(|bucket| scale(bucket.lies.saturating_add(bucket.work))).sum();
		let mut bucket = Bucket { epoch, decided: epoch + DRAW_DELAY, ..Bucket::default() };
		let mut lies = 0_u32;
		for _ in 0..self.plan.records {
			if unvested.saturating_add(each) > room {
				break;
			}
			unvested = unvested.saturating_add(each);
			if draw(random.bits(), false_ppm) {
				lies += 1;
				bucket.lies = bucket.lies.saturating_add(self.value);
			} else {
				bucket.work = bucket.work.saturating_add(self.value);
			}
		}
		self.lies += u64::from(lies);
		for _ in 0..self.drawn(random, lies) {
			let ruling = self.audit(random);
			let at = epoch + DRAW_DELAY + self.setting.audit_epochs(ruling.rounds);
			bucket.decided = bucket.decided.max(at);
			self.pending.push(Pending { at, settled: epoch, verdict: ruling.verdict });
			if ruling.verdict == Verdict::Failed && self.alarmed.is_none() {
				self.alarmed = Some(epoch + DRAW_DELAY);
			}
		}
		self.buckets.push_back(bucket);
	}

	/// How many of an epoch's false records are drawn: of all seeds among which the attackers can
	/// choose, the one with the fewest.
	fn drawn(&mut self, random: &mut Random, lies: u32) -> u32 {
		let lots = |random: &mut Random| {
			let hits = (0..lies).filter(|_| draw(random.bits(), self.probability_ppm)).count();
			u32::try_from(hits).unwrap_or(u32::MAX)
		};
		let mut best = lots(random);
		if self.plan.blocks_ppm == 0 {
			return best;
		}
		// Blocks at the end of an epoch, all of which are theirs: each may be left out.
		let mut last = 0_u32;
		while last < MOST_SKIPPED && draw(random.bits(), self.plan.blocks_ppm) {
			last += 1;
		}
		let mut cost = 0_u32;
		for choice in 1..(1_u32 << last) {
			if best == 0 {
				break;
			}
			let other = lots(random);
			if other < best {
				best = other;
				cost = choice.count_ones();
			}
		}
		self.skipped += f64::from(cost) * BLOCK_PAY;
		best
	}

	/// Verdicts that are due.
	fn decide(&mut self, random: &mut Random, epoch: u64) {
		let due: Vec<Pending> =
			self.pending.iter().copied().filter(|pending| pending.at <= epoch).collect();
		self.pending.retain(|pending| pending.at > epoch);
		for pending in due {
			match pending.verdict {
				Verdict::Failed => self.fail(random, epoch, pending.settled),
				Verdict::Silent => {
					self.silence();
					if self.setting.rules.draw_shared {
						self.lose(pending.settled);
					}
					if self.setting.rules.draw_shared && self.caught.is_none() {
						self.draw_shared(random, epoch);
					}
					self.catch(epoch);
				}
				Verdict::Passed | Verdict::Unaudited => {}
			}
		}
	}

	fn fail(&mut self, random: &mut Random, epoch: u64, settled: u64) {
		let all = failure(self.stake, 0, self.price, 0, &self.setting.parameters);
		self.stake = self.stake.saturating_sub(all.slashed);
		self.cost = self.cost.saturating_add(all.slashed);
		let rules = self.setting.rules;
		if self.plan.scapegoat {
			// Its own share is next to nothing, and the others' are not its.
			if rules.bound_shared {
				self.lose(settled);
			}
			if rules.draw_shared && self.caught.is_none() {
				self.draw_shared(random, epoch);
			}
		} else if rules.forfeit_all {
			for bucket in &mut self.buckets {
				self.cost = self.cost.saturating_add(bucket.work);
				(bucket.lies, bucket.work) = (0, 0);
			}
		} else {
			self.lose(settled);
		}
		self.catch(epoch);
	}

	/// The gateway's part of a record that it did not hand over.
	fn silence(&mut self) {
		let all = silence(self.gateway_stake, self.price, 0, &self.setting.parameters);
		self.gateway_stake = self.gateway_stake.saturating_sub(all.slashed);
		self.cost = self.cost.saturating_add(all.slashed);
	}

	/// The audit of a false record.
	fn audit(&self, random: &mut Random) -> Ruling {
		let matter = if self.plan.withheld { Matter::Withheld } else { Matter::False };
		audit(random, self.panel, self.setting, matter, self.plan.stand)
	}

	/// Audits every false record that is not vested and was not drawn before.
	fn draw_shared(&mut self, random: &mut Random, epoch: u64) {
		let value = self.value.max(1);
		let mut buckets = std::mem::take(&mut self.buckets);
		for bucket in &mut buckets {
			bucket.decided = bucket.decided.max(epoch + self.setting.audit_epochs(2));
			let known =
				self.pending.iter().filter(|pending| pending.settled == bucket.epoch).count();
			let lies = usize::try_from(bucket.lies / value).unwrap_or(0);
			for _ in 0..lies.saturating_sub(known) {
				let verdict = (0..REDRAWS).find_map(|_| {
					let ruling = self.audit(random);
					let seats = ruling.all.honest.seats + ruling.all.coalition.seats;
					(seats > 0).then_some(ruling.verdict)
				});
				if verdict == Some(Verdict::Silent) {
					self.silence();
				}
				if matches!(verdict, Some(Verdict::Failed | Verdict::Silent)) {
					bucket.lies = bucket.lies.saturating_sub(value);
				}
			}
		}
		self.buckets = buckets;
	}

	/// Takes one false record's value back, if it is still there.
	fn lose(&mut self, settled: u64) {
		let value = self.value;
		if let Some(bucket) = self.buckets.iter_mut().find(|bucket| bucket.epoch == settled) {
			bucket.lies = bucket.lies.saturating_sub(value);
		}
	}

	fn catch(&mut self, epoch: u64) {
		if self.caught.is_none() {
			self.caught = Some(Caught { records: self.lies, epochs: epoch });
		}
	}

	/// Pays what is due.
	fn vest(&mut self, epoch: u64) {
		let in_order = self.setting.rules.vest_in_order;
		let mut blocked = false;
		let mut gain: Balance = 0;
		self.buckets.retain(|bucket| {
			let ripe = bucket.epoch + VESTING_EPOCHS <= epoch && bucket.decided <= epoch;
			if blocked || !ripe {
				blocked |= in_order;
				return true;
			}
			gain = gain.saturating_add(bucket.lies);
			false
		});
		self.gain = self.gain.saturating_add(gain);
	}
}
