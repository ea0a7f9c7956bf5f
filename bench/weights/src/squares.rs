//! Least squares without negative coefficients.

/// The coefficients `c`, none below zero, for which `Σ (Σ c_i x_i − y)²` over all samples `(x, y)` is
/// least. `None` if there is no sample, or if none but zero fits.
///
/// Each set of coefficients that are not zero is tried; there are few.
pub fn non_negative(samples: &[(Vec<f64>, f64)]) -> Option<Vec<f64>> {
	let width = samples.first()?.0.len();
	// So that all columns count alike, whatever their unit.
	let scales: Vec<f64> = (0..width)
		.map(|column| samples.iter().fold(0.0f64, |most, (x, _)| most.max(x[column].abs())))
		.collect();
	let mut best: Option<(f64, Vec<f64>)> = None;
	for set in 1u32..1 << width {
		let columns: Vec<usize> = (0..width).filter(|column| set >> column & 1 == 1).collect();
		let Some(found) = solve(samples, &columns, &scales) else { continue };
		if found.iter().any(|value| *value < 0.0) {
			continue;
		}
		let mut coefficients = vec![0.0; width];
		for (column, value) in columns.iter().zip(found) {
			coefficients[*column] = value / scales[*column];
		}
		let error: f64 = samples.iter().map(|(x, y)| (dot(&coefficients, x) - y).powi(2)).sum();
		if best.as_ref().is_none_or(|(least, _)| error < *least) {
			best = Some((error, coefficients));
		}
	}
	best.map(|(_, coefficients)| coefficients)
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
	left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// The coefficients of these columns, each over its scale, by the normal equations. `None` if the columns
/// depend on each other.
fn solve(samples: &[(Vec<f64>, f64)], columns: &[usize], scales: &[f64]) -> Option<Vec<f64>> {
	/// Of a pivot, to the number of samples: what is less is rounding.
	const LEAST_PIVOT: f64 = 1e-9;
	let width = columns.len();
	let mut rows = vec![vec![0.0; width + 1]; width];
	for (x, y) in samples {
		for (row, left) in columns.iter().enumerate() {
			let left = x[*left] / scales[*left];
			for (cell, right) in columns.iter().enumerate() {
				rows[row][cell] += left * x[*right] / scales[*right];
			}
			rows[row][width] += left * y;
		}
	}
	for step in 0..width {
		let largest = |a: &usize, b: &usize| rows[*a][step].abs().total_cmp(&rows[*b][step].abs());
		let pivot = (step..width).max_by(largest)?;
		rows.swap(step, pivot);
		let by = rows[step][step];
		// Not a number where a column is all zeros.
		if by.is_nan() || by.abs() < LEAST_PIVOT * samples.len() as f64 {
			return None;
		}
		for cell in &mut rows[step] {
			*cell /= by;
		}
		let done = rows[step].clone();
		for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != step) {
			let factor = row[step];
			for (cell, value) in row.iter_mut().zip(&done) {
				*cell -= factor * value;
			}
		}
	}
	Some(rows.into_iter().map(|row| row[width]).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn samples(of: impl Fn(f64, f64) -> f64) -> Vec<(Vec<f64>, f64)> {
		let sides = (1..=20).map(|value| (f64::from(value), 30_000.0));
		let others = (0..=20).map(|value| (20.0, f64::from(value) * 1_500.0));
		sides.chain(others).map(|(a, b)| (vec![1.0, a, b], of(a, b))).collect()
	}

	#[test]
	fn what_lies_on_a_plane_should_be_found() {
		let found = non_negative(&samples(|a, b| 500.0 + 30.0 * a + 0.25 * b)).unwrap();
		for (found, expected) in found.iter().zip([500.0, 30.0, 0.25]) {
			assert!((found / expected - 1.0).abs() < 1e-6, "{found}");
		}
	}

	#[test]
	fn what_would_be_below_zero_should_be_zero_and_the_rest_fit_all_the_same() {
		// Bent upwards: a plane through it would begin below zero.
		let bent = samples(|a, b| a * b);
		let found = non_negative(&bent).unwrap();
		assert!(found.iter().all(|value| *value >= 0.0), "{found:?}");
		let most = bent.iter().map(|(_, y)| *y).fold(0.0, f64::max);
		let highest = dot(&found, &[1.0, 20.0, 30_000.0]);
		assert!((highest / most - 1.0).abs() < 0.3, "{highest} for {most}");
		// A coefficient that helps nothing.
		let found = non_negative(&samples(|a, b| 1_000.0 + 5.0 * a - 0.001 * b)).unwrap();
		assert_eq!(found[2], 0.0);
		assert!((found[1] / 5.0 - 1.0).abs() < 0.5, "{found:?}");
	}

	#[test]
	fn what_does_not_fit_at_all_should_be_said() {
		assert_eq!(non_negative(&[]), None);
		assert_eq!(non_negative(&[(vec![1.0, 2.0], -5.0)]), None);
		// A column of zeros is left out.
		let still = [(vec![1.0, 0.0], 7.0), (vec![1.0, 0.0], 7.0)];
		assert_eq!(non_negative(&still), Some(vec![7.0, 0.0]));
	}
}
