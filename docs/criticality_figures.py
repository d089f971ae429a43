"""Rows of docs/reference/figures.md on power laws, branching, sandpiles and spectra."""

from __future__ import annotations

from measured import results

Rows = list[tuple[str, str, str]]
# Clauset, Shalizi & Newman (2009), recomputed: α, x_min, p by the one-sided convention
PUBLISHED = {
    "words": ("1.95272755", 7, 0.68),
    "terrorism": ("2.36994705", 12, 0.68),
    "blackouts": ("2.2726372198", 230, 0.63),
}


def percent(values: list[float], places: int = 1) -> str:
    """Smallest and largest share, in percent."""
    low, high = (f"{100 * value:.{places}f}" for value in (min(values), max(values)))
    return f"{low} %" if low == high else f"{low}–{high} %"


def power_law_rows() -> Rows:
    """Published data, coverage, size and power."""
    found = results("power_law")
    rows: Rows = []
    for one in found["published"]:
        alpha, x_min, p = PUBLISHED[one["data"]]
        fit = one["one_sided"]
        measured = f"α {fit['alpha']:.10f}, x_min {fit['x_min']:g}, p {fit['p_value']:.2f}"
        measured += f" (published {one['p_published']:g}; two-sided {one['two_sided']['p_value']:.2f})"
        rows.append((f"{one['data']}, n = {one['n']:,}", f"α {alpha}, x_min {x_min}, p within .04 of {p}", measured))
        close = [
            abs(other["normalized_ratio"] - other["published"]) <= 0.02
            for other in one["comparisons"]
            if other["law"] != "truncated_power_law"
        ]
        cut = next(other for other in one["comparisons"] if other["law"] == "truncated_power_law")
        rows.append(
            (
                f"{one['data']}: likelihood ratios",
                "normalized ones to .02 of the published; truncated law ≤ 0",
                f"{sum(close)} of {len(close)} to .02 (why not all: [power laws](../concepts/power-laws.md)); "
                f"truncated law {cut['log_ratio']:.3f} ({cut['published']:g})",
            )
        )
    for given in ("given", "scanned"):
        for plain in (True, False):
            part = [
                row
                for row in found["coverage"]
                if row["x_min"] == given and plain == (row["law"] not in ("Pareto, censored", "Pareto, ended"))
            ]
            covered = percent([row["coverage"] for row in part])
            inside = sum(0.93 <= row["coverage"] <= 0.97 for row in part)
            beyond = [f"{row['law']}, n = {row['n']:,}" for row in part if not 0.93 <= row["coverage"] <= 0.97]
            bias = max(abs(row["relative_bias"]) for row in part)
            corrected = max(abs(row["relative_bias_corrected"]) for row in part)
            outside = f" (not: {'; '.join(beyond)})" if beyond else ""
            rows.append(
                (
                    f"coverage of α, x_min {given}{'' if plain else ', censored or ended'}, n = 300, 1,000, 10,000; "
                    "1,000 data sets each",
                    "95 ± 2 %; bias < 1 %",
                    f"{covered}, {inside} of {len(part)} within{outside}; bias at most {100 * bias:.2f} %, "
                    f"of `bias_corrected` {100 * corrected:.2f} %",
                )
            )
    tests = found["goodness_of_fit_x_min_given"]
    rows.append(
        (
            "goodness-of-fit p, x_min given, α = 1.5, 2.5, 3.5, 500 data sets each",
            "uniform: Kolmogorov–Smirnov p > .01",
            "p = " + ", ".join(f"{row['ks_p']:.2f}" for row in tests),
        )
    )
    rows.append(
        (
            "its size at .1, x_min scanned, n = 300, 1,000, 10,000",
            "≤ .12",
            ", ".join(f"{row['at_0.1']:.3f}" for row in found["goodness_of_fit_x_min_scanned"]),
        )
    )
    powers = found["power_against_lognormal"]
    rows.append(
        (
            f"its power against a lognormal law, σ = 1.5, n = {', '.join(format(row['n'], ',') for row in powers)}",
            "rises with n",
            ", ".join(f"{row['rejected']:.2f}" for row in powers),
        )
    )
    return rows


def power_law_speed_rows() -> Rows:
    """Scan, goodness of fit and likelihood ratios beside the peers."""
    found = results("power_law_speed")
    pareto, test = found["scan"][0], found["goodness of fit"][0]
    alpha = max(row["difference of α"] for row in found["scan"])
    rows: Rows = [
        (
            f"scan of x_min, n = {pareto['n']:,}, three laws: as the full scan",
            "same x_min, α, D",
            f"{sum(row['same x_min'] for row in found['scan'])} of {len(found['scan'])}; α to {alpha:.0e}, "
            f"D to {max(row['difference of D'] for row in found['scan']):.0e}",
        ),
        (
            "its CPU seconds",
            "≥ 700× powerlaw 2.0, ≥ 20× igraph (plfit)",
            f"{pareto['ours']['seconds']:.3f}; {pareto['times powerlaw']:,.0f}×, {pareto['times igraph scan']:,.0f}×",
        ),
        (
            f"goodness of fit, {test['B']:,} replicas, n = {test['n']:,}: CPU seconds",
            "≤ igraph",
            f"{test['ours']['seconds']:.2f}; igraph {test['igraph p']['seconds']:.2f}",
        ),
        (
            "exact scan of 10⁶ points: CPU seconds",
            "–",
            ", ".join(f"{law} {row['seconds']:.2f}" for law, row in found["large"].items()),
        ),
    ]
    for row in results("likelihood_ratios")["rows"]:
        if "powerlaw" in row:
            peer = sum(law["seconds"] for law in row["powerlaw"].values() if isinstance(law, dict))
            measured = f"{row['ours']['seconds']:.3f}; powerlaw 2.0 {peer:.1f}: {peer / row['ours']['seconds']:,.0f}×"
            rows.append((f"four likelihood ratios, {row['data']}, n = {row['n']:,}: CPU seconds", "–", measured))
    return rows


def published_rule_rows() -> Rows:
    """What the rules in circulation do where the truth is known."""
    found = results("published_rules")
    line = next(row for row in found["regression"] if row["alpha"] == 2.5)
    noise = found["noise"]
    fits = [row["r_squared"]["mean"] for row in noise]
    worst = max(found["criterion"]["geometric"], key=lambda row: row["critical"])
    sandpile = found["criterion"]["neural_sandpile"][-1]
    return [
        (
            f"log–log regression of {found['n']:,} zeta points, α = 2.5",
            "–",
            f"{line['histogram']['mean']:.2f} (likelihood {line['likelihood']['mean']:.2f}); its interval covers in "
            f"{100 * line['histogram']['coverage']:.0f} of {found['trials']}",
        ),
        (
            "ascending “CCDF” on Marchenko–Pastur noise",
            "negative exponent always, R² ≈ .8",
            f"largest exponent {max(row['max'] for row in noise):.2f}; mean R² {min(fits):.2f}–{max(fits):.2f}",
        ),
        (
            "slope in 1–3 and R² > .8, geometric sizes",
            "a case that breaks it",
            f"called critical in {100 * worst['critical']:.0f} % (p = {worst['p']:g})",
        ),
        (
            f"the same, neural sandpile of {sandpile['sites']:,} sites",
            "a case that breaks it",
            f"called critical in {100 * sandpile['critical']:.0f} % of {sandpile['runs']}; largest avalanche "
            f"{sandpile['largest']:g}, rigorous verdict "
            + ", ".join(f"*{verdict}* {count}" for verdict, count in sandpile["verdicts"].items()),
        ),
    ]


def branching_rows() -> Rows:
    """Coverage of the branching ratio, the naive estimate, and the speed of its slopes."""
    found = results("branching")
    rows: Rows = []
    for n_bins in sorted({row["n_bins"] for row in found["coverage"]}):
        part = [row for row in found["coverage"] if row["n_bins"] == n_bins and row["sampling"] in (1.0, 0.01)]
        measured = ", ".join(f"{100 * row['coverage']:.1f} %" for row in part)
        figure = f"m = .9 and .98, sampling 1 and .01, {n_bins:,} bins, {part[0]['trials']:,} data sets each"
        rows.append((f"coverage of m: {figure}", "95 ± 2 %", measured))
    part = sorted(
        (row for row in found["coverage"] if row["m"] == 0.98 and row["n_bins"] == 100_000),
        key=lambda row: -row["sampling"],
    )
    rows.append(
        (
            "m = .98 at sampling 1, .1, .01, .001",
            "covered in ≥ 90 of 100 at each",
            ", ".join(f"{100 * row['coverage']:.1f}" for row in part),
        )
    )
    rows.append(
        (
            "naive estimate there",
            "falls to b·m = .98, .7225, .1992, .0242",
            ", ".join(f"{row['naive']:.4f}" for row in part),
        )
    )
    for row in results("autocorrelation")["rows"]:
        peer = min(form["seconds"] for form in row["mrestimator"].values())
        figure = f"slopes of {row['n_bins']:,} bins at {row['max_lag']:,} lags: CPU seconds"
        required = "≥ 3× mrestimator 0.2.0" if (row["n_bins"], row["max_lag"]) == (1_000_000, 500) else "–"
        rows.append((figure, required, f"{row['ours']['seconds']:.3f}; {peer:.2f}: {row['times']:.0f}×"))
    return rows


def avalanche_rows() -> Rows:
    """Exponents and shapes of avalanches whose exponents are exact."""
    found = results("avalanche_exponents")
    rows: Rows = []
    for row in found["first_hundred"]:
        covered = ", ".join(f"{quantity} {count}" for quantity, count in row["covered"].items())
        required = "each covered in ≥ 90 of 100" + (
            "; crackling relation rejected in ≤ 8" if row["system"].startswith("directed") else ""
        )
        measured = f"{covered} of {row['n']}; relation rejected in {row['relation_rejected']}"
        rows.append((f"{row['system']} avalanches", required, measured))
    for row in found["mean_sizes"]:
        offspring = "Poisson" if row["offspring"] == "poisson" else row["offspring"]
        rows.append(
            (
                f"⟨S⟩(T) of {row['n_trees']:,} {offspring} trees against the exact finite-T curve",
                "agrees",
                f"at most {row['largest_standard_errors_apart']:.1f} standard errors apart, χ² p = "
                f"{row['chi_square_p']:.2f}; a log–log regression gives {row['regression_of_simulated_means']:.2f} "
                "where 2 is true",
            )
        )
    for system in dict.fromkeys(row["case"] for row in found["coverage"]["estimates"]):
        part = [row for row in found["coverage"]["estimates"] if row["case"] == system]
        covered = ", ".join(f"{row['quantity']} {100 * row['coverage']:.1f} %" for row in part)
        required = "95 ± 2 %" if "off critical" not in system else "–"
        rows.append(
            (f"coverage: {system.removeprefix('avalanches, ')}, {part[0]['n_trials']:,} data sets", required, covered)
        )
    for row in found["coverage"]["decisions"]:
        measured = f"{100 * row['share']:.1f} % of {row['n_trials']:,}"
        rows.append((row["case"].removeprefix("avalanches, "), f"≤ {100 * row['bound']:g} %", measured))
    rows.append(
        (
            "shape collapse of profiles without noise, γ = .3, 1, 2",
            "γ to 1 %",
            ", ".join(f"{row['estimate']:.4f}" for row in found["profiles_without_noise"]),
        )
    )
    return rows


def verdict_rows() -> Rows:
    """How often a system is called critical."""
    rows: Rows = []
    for name, row in results("criticality")["cases"].items():
        verdicts = ", ".join(f"*{verdict}* {count}" for verdict, count in row["verdicts"].items())
        required = "called critical" if row["is_critical"] else "called critical in ≤ 5 of 100"
        figure = f"{name.removeprefix('verdict/')}: {row['system']}"
        rows.append((figure, required, f"{row['called_critical']} of {row['trials']} ({verdicts})"))
    return rows


def sandpile_rows() -> Rows:
    """Exact means, recurrent states and heights."""
    found = results("sandpile")
    square = [row for row in found["means"] if "lattice" not in row]
    worst = max(square, key=lambda row: abs(row["deviation"]))
    states = [row["determinant"] for row in found["recurrent_states"]]
    return [
        (
            f"mean topplings per grain, L = {', '.join(str(row['L']) for row in square)}",
            f"{square[0]['exact']:.2f} … {square[-1]['exact']:.7f} within 3 standard errors",
            f"all within {abs(worst['deviation']):.1f} (L = {worst['L']}); L = 64: {square[-1]['estimate']:.2f} ± "
            f"{square[-1]['standard_error']:.2f}",
        ),
        (
            "recurrent states, L = 1 … 4",
            "4, 192, 100352, 557568000",
            ", ".join(str(count) for count in states[:4])
            + "; by burning: "
            + ", ".join(str(row["burning"]) for row in found["recurrent_states"] if "burning" in row),
        ),
        *(
            (
                f"driven, L = {row['L']}: topplings per CPU second",
                "≥ 5 · 10⁷, ≥ 200× the usual loop",
                f"{row['topplings_per_second'] / 1e7:.1f} · 10⁷; {row['ratio']:.0f}×",
            )
            for row in results("sandpile_speed")["driven"]
        ),
    ]


def simple_scaling_rows() -> Rows:
    """One and the same test on a multiscaling sandpile and on two that scale simply."""
    found = results("simple_scaling")
    rows: Rows = []
    for pile in found["sandpiles"]:
        multiscaling = pile["system"] == "Bak–Tang–Wiesenfeld"
        lengths = ", ".join(str(length) for length in pile["L"])
        fewer = "; ".join(f"{rejected} with {int(n):,}" for n, rejected in pile["rejected_with_fewer_grains"].items())
        rows.append(
            (
                f"simple scaling of {pile['system']}, L = {lengths}, {pile['grains']:,} grains",
                f"rejected in {'≥ 9' if multiscaling else '≤ 1'} of 10",
                f"{pile['rejected']} of {pile['repetitions']}" + (f" ({fewer} grains)" if multiscaling else ""),
            )
        )
    for row in found["size_of_the_test"]:
        figure = (
            f"its size at {found['level']:g}: {row['law']}, {row['grains']:,} grains, {row['repetitions']} repetitions"
        )
        rows.append((figure, "–", f"{row['rejected']:.3f}"))
    return rows


def weight_spectra_rows() -> Rows:
    """Spectra of a GPT-2-small beside WeightWatcher."""
    found = results("weight_spectra")
    embedding = max(row["embedding_seconds"] for row in found["ours"])
    memory = max(row["peak_mib_above_weights"] for row in found["ours"])
    heavy = sum(row["heavy_tailed"] for row in found["ours"])
    errors = [row["stated_error_over_largest_eigenvalue"] for row in found["ours"] if row["dtype"] == "float32"]
    return [
        (
            "48 layers of a random GPT-2-small, float64",
            "≥ 1.8× WeightWatcher",
            f"{found['float64_layers_seconds']:.2f} CPU s: {found['float64_ratio']:.1f}×",
        ),
        (
            "the same in float32",
            "≥ 4×, error stated",
            f"{found['float32_layers_seconds']:.2f} CPU s: {found['float32_ratio']:.1f}×; stated error "
            f"{max(errors):.1e} of the largest eigenvalue",
        ),
        ("embedding 50,257 × 768", "≤ 3 s", f"{embedding:.2f} s"),
        ("memory above the weights", "≤ 120 MiB", f"{memory:.0f} MiB"),
        ("layers called heavy-tailed", "none", f"{heavy}"),
    ]


def spectra_rows() -> Rows:
    """False alarms on noise, and the tail index of Lévy matrices."""
    found = results("spectra")
    alarms = found["false_alarms"]
    worst = max(alarms, key=lambda row: row["p_below_0.05"])
    heavy = sum(
        count for row in alarms for verdict, count in row["verdicts"].items() if verdict.startswith("heavy tail")
    )
    shape = " × ".join(str(side) for side in worst["shape"])
    rows: Rows = [
        (
            f"noise of {len({row['entries'] for row in alarms})} laws, {len({str(row['shape']) for row in alarms})} "
            f"shapes, {alarms[0]['n_matrices']:,} matrices each: p < .05",
            "–",
            f"{percent([row['p_below_0.05'] for row in alarms])} (most: {worst['entries']}, {shape}); "
            f"{heavy} heavy-tailed",
        )
    ]
    for row in found["networks"]:
        rows.append(
            (
                f"untrained {row['network']}, {row['n_layers']} layers, {row['n_networks']} networks",
                "no layer heavy-tailed",
                f"{row['heavy_tailed']} heavy-tailed; any alarm in {row['networks_with_an_alarm']} "
                f"(level {row['level']:g})",
            )
        )
    for row in found["levy_coverage"]:
        asked = row["mu"] < 1.6
        rows.append(
            (
                f"Pareto entries, μ = {row['mu']:g}, N = {row['size']:,}: index {row['truth']:g}",
                "covered in ≥ 90 of 100" if asked else "bias measured, raised as a caveat",
                f"{row['covered']} of {row['n_matrices']}; bias {row['bias']:+.3f}"
                + ("" if asked else f"; caveat in {row['caveat_raised']}")
                + f"; intervals that take eigenvalues as independent: {row['covered_if_independent']}",
            )
        )
    bias = [row for row in found["levy_bias"] if row["mu"] == 1.6]
    rows.append(
        (
            f"bias of the index, μ = 1.6, N = {', '.join(format(row['size'], ',') for row in bias)}, tail of 5 %",
            "measured against N",
            ", ".join(f"{row['bias']['0.05']:+.3f}" for row in bias),
        )
    )
    return rows


def neural_sandpile_rows() -> Rows:
    """Both criteria on both rules."""
    found = results("neural_sandpile")
    rows: Rows = []
    for rule in found["rules"]:
        cut_offs = ", ".join(f"{row['cut_off'][0]:,.{0 if row['cut_off'][0] > 100 else 2}f}" for row in rule["systems"])
        sizes = ", ".join(f"{row['N']:,}" for row in rule["systems"])
        verdicts = ", ".join(f"*{verdict}* {count}" for verdict, count in rule["verdicts"].items())
        rows.append(
            (
                f"neural sandpile, {rule['rule']}, N = {sizes}, {found['seeds']} seeds",
                "both verdicts; does the cut-off grow?",
                f"published criterion: critical in {rule['passes_published']}; rigorous: {verdicts}; "
                f"cut-off {cut_offs}",
            )
        )
    return rows


SECTIONS = (
    ("Power laws", "python benchmarks/accuracy/power_law.py", power_law_rows),
    (
        "Power laws: speed",
        "python benchmarks/speed/power_law.py --peers PYTHON; "
        "python benchmarks/speed/likelihood_ratios.py --peers PYTHON",
        power_law_speed_rows,
    ),
    ("Published rules", "python benchmarks/accuracy/published_rules.py", published_rule_rows),
    (
        "Branching",
        "python benchmarks/accuracy/branching.py; python benchmarks/speed/autocorrelation.py --peers PYTHON",
        branching_rows,
    ),
    ("Avalanches", "python benchmarks/accuracy/avalanche_exponents.py", avalanche_rows),
    ("Criticality", "python benchmarks/accuracy/criticality.py", verdict_rows),
    ("Sandpiles", "python benchmarks/accuracy/sandpile.py; python benchmarks/speed/sandpile.py", sandpile_rows),
    ("Simple scaling", "python benchmarks/accuracy/simple_scaling.py", simple_scaling_rows),
    ("Neural sandpile", "python benchmarks/accuracy/neural_sandpile.py", neural_sandpile_rows),
    ("Spectra", "python benchmarks/accuracy/spectra.py", spectra_rows),
    ("Weight spectra", "python benchmarks/speed/weight_spectra.py --peers PYTHON", weight_spectra_rows),
)
