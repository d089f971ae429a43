"""The page docs/reference/figures.md: what was required, what was measured, and how to measure it again."""

from __future__ import annotations

from criticality_figures import SECTIONS as CRITICALITY
from measured import results


def span(values: list[float], form: str = "g") -> str:
    """Smallest and largest of some numbers."""
    return f"{min(values):{form}}–{max(values):{form}}"


def grokking_rows() -> list[tuple[str, str, str]]:
    """Crossings, the control, and the circuit's losses."""
    found = results("grokking")
    rows = []

    def steps(name: str, key: str) -> list[float]:
        return [run[key] for run in found[name]["runs"] if run[key] is not None]

    f3 = found["F3"]["runs"]
    rows.append(
        (
            "F3, 8 seeds",
            "all: t_train99 in 30–80, t_test99 in 380–700, delay ≥ 6×",
            f"{len(steps('F3', 'delay'))} of {len(f3)}: {span(steps('F3', 'memorization_step'))}, "
            f"{span(steps('F3', 'generalization_step'))}, {span(steps('F3', 'delay'), '.1f')}×",
        )
    )
    reached = [step for step in found["F1"]["first_step_at_0.98"] if step is not None and step <= 2500]
    rows.append(
        (
            "F1, 16 seeds",
            "≥ 15 reach .98 by step 2,500; median delay ≥ 15×",
            f"{len(reached)} of {len(found['F1']['runs'])}, by step {max(reached)}; "
            f"median delay {found['F1']['median_delay']:.1f}×",
        )
    )
    rows.append(
        (
            "T1, 3 seeds",
            "t_train99 70–140, t_test99 300–2,000",
            f"{span(steps('T1', 'memorization_step'))}, {span(steps('T1', 'generalization_step'))}",
        )
    )
    control = found["random_labels"]["runs"]
    deviations = [abs(run["mean_test_accuracy_minus_chance"]) for run in control]
    deviations += [abs(run["mean_unmirrored_test_accuracy_minus_chance"]) for run in control]
    rows.append(
        (
            f"F3 with random labels, 1,500 steps, {len(control)} seeds",
            "train 1.0; mean test accuracy within .01 of chance; no evaluation beyond 5σ; verdict *memorization*",
            f"train ≥ {min(run['final_train_accuracy'] for run in control):.4g}; within {max(deviations):.4f}; "
            f"largest {max(run['largest_deviation_sigma'] for run in control):.1f}σ; "
            f"{sum(run['verdict'] == 'memorization' for run in control)} of {len(control)} *memorization*",
        )
    )
    losses = found["circuit_losses"]["runs"]
    rows.append(
        (
            f"restricted and excluded loss on F6, keys of the final network, 3,000 steps, {len(losses)} seeds",
            "restricted < .05 after, > 3.5 before; excluded ≥ 100× the train loss after",
            f"restricted {span([run['restricted_at_start'] for run in losses], '.2f')} at step 0, "
            f"{span([run['restricted_at_memorization'] for run in losses], '.2f')} when memorized, "
            f"{span([run['restricted_after'] for run in losses], '.2g')} after; "
            f"excluded ≥ {min(run['ratio'] for run in losses):,.0f}×",
        )
    )
    return rows


def training_rows() -> list[tuple[str, str, str]]:
    """Speed of the ensemble and of the transformer's step."""
    small = results("ensemble")["rows"][0]
    step = results("transformer_step")
    return [
        (
            "ensemble, p = 23, H = 32: runs per CPU-second, R = 16 against R = 1",
            "≥ 5×",
            f"{small['gain_median']['16']:.1f}× (R = 32: {small['gain_median']['32']:.1f}×)",
        ),
        (
            "p = 113 transformer, CPU-ms per full-batch step, one thread",
            "≤ 60",
            f"{step['cpu_ms_median']['tabulated']:.0f} (median; best {step['cpu_ms_best']['tabulated']:.0f}); "
            f"textbook form beside it {step['cpu_ms_median']['textbook']:.0f}: {step['gain_median']:.1f}×",
        ),
    ]


def transition_rows() -> list[tuple[str, str, str]]:
    """False alarms, power, coverage; the full tables are on the concept page."""
    found = results("transitions")
    rows = []
    reference = [row for row in found["false_alarms"] if row["n_points"] == 200 and row["group"] != "outside the null"]
    for group in dict.fromkeys(row["group"] for row in reference):
        rates = {row["family"]: row["rate"] for row in reference if row["group"] == group}
        worst = max(rates, key=rates.__getitem__)
        measured = (
            f"{span([100 * rate for rate in rates.values()], '.1f')} % over {len(rates)} families (most: {worst})"
        )
        rows.append((f"false alarms on {group}, 1,000 sets each", "≤ 6.5 % at the stated 5 %", measured))
    for row in found["detection"]:
        if row["power"] > 0 and row["n_points"] == 200:
            covered = ", ".join(f"{name} {100 * value:.1f} %" for name, value in row["coverage"].items())
            required = "power ≥ .9; midpoint 95 ± 2 %" if row["family"] == "5σ, width up to 0.25" else "–"
            rows.append((f"sigmoid: {row['family']}", required, f"power {row['power']:.3f}; covered: {covered}"))
    for row in found["step_location"]:
        figure = f"location of a step of {row['height']:g}σ, noise AR(1) φ = {row['phi']:g}"
        measured = f"{100 * row['coverage']:.1f} %, median width {row['median_width_samples']:g} evaluations"
        rows.append((figure, "≥ 93 %", measured))
    return rows


def circuit_rows() -> list[tuple[str, str, str]]:
    """Clock and pizza, parallelograms."""
    found = results("circuit_measures")
    rows = []
    for kind, required in (("clock", "symmetricity ≤ .6, irrelevance ≥ .7"), ("pizza", "≥ .98, ≤ .4")):
        nets = [row for row in found["clock_and_pizza"] if row["kind"] == kind]
        symmetricity = [value for row in nets for value in row["symmetricity"]]
        irrelevance = [value for row in nets for value in row["irrelevance"]]
        measured = f"symmetricity {span(symmetricity, '.4g')}, irrelevance {span(irrelevance, '.3g')}"
        rows.append((f"hand-built {kind}s, logit noise .01", required, measured))
    shapes = found["parallelograms"]
    line = [row["ordinary"] for row in shapes["line"]]
    rows.append(("RQI of a line", "1.0", span(line, ".3g")))
    for row in shapes["circle"]:
        if row["p"] >= 23:
            measured = f"ordinary {span(row['ordinary'], '.3f')} over its frequencies; phase {row['phase']:.1f}"
            rows.append((f"RQI of an exact circle, p = {row['p']}", "ordinary < .05; phase 1.0", measured))
    for dimensions, required in ((1, "< .06"), (2, "< .01")):
        values = [row["ordinary_max"] for row in shapes["gaussian"] if row["n_dimensions"] == dimensions]
        rows.append((f"RQI of a Gaussian embedding, {dimensions}-dimensional", required, f"at most {max(values):.4f}"))
    return rows


def mirage_rows() -> list[tuple[str, str, str]]:
    """The string metrics and the verdict."""
    found = results("mirage")
    strings = found["strings"]
    exact = [row for row in found["flip"] if row["n_items"] is None]
    counted = {row["n_items"]: row for row in found["flip"] if row["n_items"] is not None}
    visible = {n: row["smooth_rise_could_be_seen"] for n, row in sorted(counted.items())}
    return [
        (
            "exact match q⁵ and substitutions against theory, L = 5",
            "to 1e-12",
            f"{strings['exact_match_minus_q5']:.0e}, {strings['substitutions_off_a_line']:.0e}",
        ),
        (
            "Levenshtein distance of 20,000 simulated strings",
            "within 3 standard errors of its truth",
            f"largest |z| {strings['levenshtein_z']['largest']:.2f} over {strings['levenshtein_z']['n_q']} values of q",
        ),
        (
            "sharp on exact match, smooth on tokens: *mirage*",
            "flips",
            f"{sum(row['verdict'] == 'mirage' for row in exact)} of {len(exact)} axes and record lengths",
        ),
        (
            "could the smooth rise have been resolved?",
            "said for 20, 200, 2,000 items",
            "; ".join(f"{n:,}: {'yes' if seen else 'no'}" for n, seen in visible.items()),
        ),
    ]


def survival_rows() -> list[tuple[str, str, str]]:
    """Coverage of the Kaplan–Meier median."""
    rows = results("survival")["rows"]
    worst = {}
    for row in rows:
        method = row["methods"]["beta product"]
        worst[row["n_runs"]] = min(worst.get(row["n_runs"], 1.0), method["coverage"])
    measured = ", ".join(f"n = {n}: ≥ {100 * value:.1f} %" for n, value in sorted(worst.items()))
    return [("interval of the Kaplan–Meier median, up to 40 % censored", "95 % (covers at least)", measured)]


def store_rows() -> list[tuple[str, str, str]]:
    """The run store."""
    found = results("store")
    kill, lists = found["kill"], found["list_s"]
    return [
        (
            "kill −9 while writing",
            "nothing committed is lost",
            f"{kill['trials']} trials, {kill['acknowledged_steps']:,} acknowledged steps, {kill['lost_steps']} lost",
        ),
        (
            "views while written",
            "consistent",
            f"{kill['views_while_written']} views, {kill['views_mixing_two_moments']} mixing two moments",
        ),
        (
            "listing 1,000 runs",
            "< 1 s",
            f"{lists['1000 recordings x 1 run']:.2f} s; all interrupted "
            f"{lists['1000 recordings x 1 run, all interrupted']:.2f} s",
        ),
    ]


def watch_rows() -> list[tuple[str, str, str]]:
    """What watching costs."""
    found = results("watch_overhead")
    rows = []
    for name, workload in (("transformer", "transformer of 0.46 M parameters"), ("mlp", "MLP of 26 k parameters")):
        for preset in ("economy", "every_step"):
            row = found[name][preset]
            low, high = row["overhead_interval"]
            measured = f"{100 * row['overhead_median']:+.1f} % [{100 * low:+.1f}, {100 * high:+.1f}]"
            bare = found[name]["bare_cpu_ms_per_step"]
            rows.append((f"`ps.watch`, {preset.replace('_', ' ')}, {workload} ({bare:.2g} ms a step)", "–", measured))
    return rows


def figures() -> str:
    """The page."""
    sections = (
        ("Grokking", "python benchmarks/accuracy/grokking.py", grokking_rows()),
        ("Transitions", "python benchmarks/accuracy/transitions.py", transition_rows()),
        ("Circuits", "python benchmarks/accuracy/circuit_measures.py", circuit_rows()),
        ("Mirage", "python benchmarks/accuracy/mirage.py", mirage_rows()),
        ("Censored steps", "python benchmarks/accuracy/survival.py", survival_rows()),
        (
            "Training",
            "python benchmarks/speed/ensemble.py; python benchmarks/speed/transformer_step.py",
            training_rows(),
        ),
        ("Store", "python benchmarks/speed/store.py", store_rows()),
        ("Watching", "python benchmarks/speed/watch_overhead.py", watch_rows()),
        *((title, command, rows()) for title, command, rows in CRITICALITY),
    )
    lines = ["# Measured figures", "", "<!-- Written by docs/build_reference.py; edit the code instead. -->", ""]
    lines += [
        "Two shared cores of a server processor, one thread each, CPU time. `make bench` measures all of it again;"
    ]
    lines += ["the numbers are those of `benchmarks/results/`.", ""]
    for title, command, rows in sections:
        lines += [f"## {title}", "", f"`{command}`", "", "| figure | required | measured |", "|---|---|---|"]
        lines += [f"| {figure} | {required} | {measured} |" for figure, required, measured in rows] + [""]
    return "\n".join(lines)
