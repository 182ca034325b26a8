#!/usr/bin/env python3
"""mistakes BUILD [NAME]...: seeds one mistake at a time and asks that the tests named beside it notice.

Each failure of another system that a scenario is named after, and each property of alert-properties, stands here with the
mistake that it is there to find: one line of one file. The changed file is compiled as BUILD compiles it and linked before
the libraries, so that the member of the archive is not taken. Nothing in the tree is touched. When a line that is named
here changes, name the new one: a mistake that cannot be seeded is a failure.
"""
import os
import shlex
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
RUNS = "4000"  # of alert-properties: each mistake is met long before

PLAN, DIFFER, JUDGE = "daemon/core/plan.c", "daemon/core/engine-differ.c", "daemon/core/engine-judge.c"
FACTS = "daemon/flow/facts.c"

# name (a scenario, "*..." of a property, "=..." of test-engine-judge), file, line, what stands there instead
MISTAKES = [
    ("recovery-lost-after-silence", FACTS, "store_silences(f->app->store, f->now_ms,",
     "store_silences(f->app->store, f->now_ms - 30 * MS_PER_DAY,"),
    # the end goes only to whoever heard of the month before it
    ("recovery-lost-after-acknowledgement", PLAN, "        if (stands(told))\n                return SAY_CLOSING;",
     "        if (stands(told) && told->last == period_previous(p->e.last))\n                return SAY_CLOSING;"),
    ("recovery-lost-after-restart", FACTS,
     "EpisodeFilter filter = {.is_live = true, .touched_from = period_add(month, -REACH_MONTHS)};",
     "(void) month; EpisodeFilter filter = {.is_live = true};"),
    ("recovery-lost-after-rule-removal", PLAN, "        if (stands(told))\n                return SAY_CLOSING;",
     "        if (stands(told) && p->e.end != END_RULE_REMOVED)\n                return SAY_CLOSING;"),
    ("closing-to-somebody-never-told", PLAN, "        if (stands(told))\n                return SAY_CLOSING;",
     "        if (stands(told))\n                return SAY_CLOSING;\n"
     "        if (!told || told->said == SAY_NONE)\n                return SAY_LATE;"),
    ("ok-storm-at-start", PLAN, "        if (stands(told))\n                return SAY_CLOSING;",
     "        if (stands(told))\n                return SAY_CLOSING;\n"
     "        if (!told && p->e.first < p->newest)\n                return SAY_LATE;"),
    ("no-data-that-closes", "daemon/core/rule.c", "        if (j->value == VALUE_NONE)\n                return;",
     "        if (j->value == VALUE_NONE)\n                j->verdict = VERDICT_CLEAR;\n"
     "        if (j->value == VALUE_NONE)\n                return;"),
    ("repeat-longer-than-retention", PLAN, "const Told *told = find_told(in, p->e.id);",
     "const Told *told = find_told(in, p->e.id);\n"
     "                if (told && days_since(in, told) > 180)\n                        told = NULL;"),
    ("repeat-rounded-up", PLAN, "return day_of_instant(in->now_ms) - day_of_instant(told->said_ms);",
     "return (int) ((in->now_ms - told->said_ms) / MS_PER_DAY);"),
    ("group-resolved-while-a-member-fires", "daemon/core/render-subject.c",
     "                if (n_lines == 0)\n", "                if (n_lines == 0 || g == GROUP_CONTINUED)\n"),
    ("closing-that-shows-the-old-value", PLAN, "                .value = p->e.value,",
     "                .value = is_closing ? told->value : p->e.value,"),
    ("flood-on-a-new-threshold", DIFFER, "e->tell_from = w->in->is_new_rule ? period_next(w->newest) : 0;",
     "e->tell_from = 0;"),
    ("all-below-after-a-change-of-formula", JUDGE, "result->is_guard_tripped = is_mass || jumped;",
     "result->is_guard_tripped = jumped;"),
    ("daily-mail-from-a-running-figure", FACTS, "p->quiet_days = EARLY_WARNING_DAYS;", "p->quiet_days = 0;"),
    ("praise-for-a-correction", PLAN, "!p->is_trembling ? SAY_WITHDRAWN : SAY_NONE",
     "!p->is_trembling ? SAY_CLOSING : SAY_NONE"),
    ("nothing-handled-called-zero", "daemon/core/decode-finish.c",
     "return def->empty == EMPTY_ZERO ", "return def->empty != EMPTY_FULL "),
    ("told-on-a-day-off", "daemon/core/calendar.c",
     "        if (ranges_hold(c->off, c->n_off, day))\n                return false;\n", ""),
    ("missed-digest", "daemon/core/calendar.c", "return MAX(slot, now_ms);",
     "return slot < now_ms ? slot + MS_PER_DAY : slot;"),
    ("flood-at-go-live", PLAN, "if (told->said == SAY_ASSUMED && told->last == e->last)", "if (false)"),
    ("dead-letter-that-heals", PLAN, "(told->gave_up == e->last || told->last == e->last)", "true"),
    ("escalation", FACTS, "return after == 0 || p->e.length < after || p->is_acked;", "return after == 0;"),
    ("silence-that-covers-too-much", FACTS, "if (s->severity != SEVERITY_NONE && (!e || s->severity != e->severity))",
     "if (false)"),
    ("judged-before-it-settled", "daemon/flow/judge.c", "if (period_end(p) + rule->settle_days > today)",
     "if (period_end(p) > today)"),
    ("stale-for-ever", "daemon/flow/watch.c",
     "        if (period_status(ended, w->today, w->source->final_after_days) != PERIOD_CLOSED)\n", ""),
    ("one-mail-per-source", FACTS, "in.last_release_ms = MAX(in.last_release_ms, f->digest_ms);", "in.last_release_ms = 0;"),
    ("escalated-although-acknowledged", FACTS, "p->e.length < after || p->is_acked;", "p->e.length < after;"),
    # properties
    ("*repeats counted in hours", PLAN, "return day_of_instant(in->now_ms) - day_of_instant(told->said_ms);",
     "return (int) ((in->now_ms - told->said_ms) / MS_PER_DAY);"),
    ("*a closing with the told value", PLAN, "                .value = p->e.value,",
     "                .value = is_closing ? told->value : p->e.value,"),
    ("*a closing that shows what was corrected since", PLAN,
     "return needs_fix(in, &in->figures[i]) ? in->figures[i].now_value : in->figures[i].value;", "return told->value;"),
    ("*days off ignored", "daemon/core/calendar.c",
     "        if (ranges_hold(c->off, c->n_off, day))\n                return false;\n", ""),
    ("*a quiet week ignored", PLAN, "days_since(in, told) < p->quiet_days)", "false)"),
    ("*the end of what was acknowledged", PLAN, "        if (p->is_muted)\n", "        if (p->is_muted || p->is_acked)\n"),
    ("*what was acknowledged, repeated", PLAN, "if (p->is_acked || is_stale ||", "if (is_stale ||"),
    ("*a silence that says an end", PLAN, "        if (p->is_muted)\n",
     "        if (p->is_muted && p->e.state != EPISODE_CLOSED)\n"),
    ("*a dead letter that never heals", PLAN, "(told->gave_up == e->last || told->last == e->last)", "true"),
    ("*no withdrawal of what ended", PLAN, "stands(told) || (told && (told->said == SAY_CLOSING || told->said == SAY_LATE));",
     "stands(told);"),
    ("*an end to whoever", PLAN, "        if (stands(told))\n                return SAY_CLOSING;",
     "        if (stands(told) || !told)\n                return SAY_CLOSING;"),
    ("*corrections only of what stands", PLAN, "return f->is_flipped || differs_by(f->now_value, f->value, f->restated_min);",
     "return f->is_flipped;"),
    ("*small steps over a limit left out", PLAN,
     "return f->is_flipped || differs_by(f->now_value, f->value, f->restated_min);",
     "return differs_by(f->now_value, f->value, f->restated_min);"),
    ("*the month of a new limit told at once", DIFFER,
     "e->tell_from = w->in->is_new_rule ? period_next(w->newest) : 0;", "e->tell_from = 0;"),
    ("*a hold that holds nothing", PLAN, "if (e->is_held || p->is_waiting)", "if (p->is_waiting)"),
    ("*superiors told at once", PLAN, "if (e->is_held || p->is_waiting)", "if (e->is_held)"),
    ("*missing figures that close", "daemon/core/rule.c", "        if (j->value == VALUE_NONE)\n                return;",
     "        if (j->value == VALUE_NONE)\n                j->verdict = VERDICT_CLEAR;\n"
     "        if (j->value == VALUE_NONE)\n                return;"),
    ("*missing figures that go on", "daemon/core/alert.c", "        if (j->verdict == VERDICT_BREACH) {",
     "        if (j->verdict == VERDICT_BREACH || (f->is_running && j->verdict == VERDICT_UNKNOWN)) {"),
    ("*an end that an early warning makes up", DIFFER,
     "        if (!j || j->verdict == VERDICT_BREACH || j->verdict == VERDICT_UNKNOWN)\n"
     "                return withdraw_stored(w, u, was);\n", ""),
    ("*an era that ends nothing", JUDGE, "                w->end[i] = END_ERA;", "                w->end[i] = END_NONE;"),
    ("*two messages a day", "daemon/core/calendar.c",
     "bool is_held = last_ms != 0 && day_of_instant(MIN(last_ms, now_ms)) >= today;", "bool is_held = false; (void) last_ms;"),
    # exact cases
    ("=two alerts of one run", JUDGE, "                if (is_kept_of(w, e, run)) {", "                if (false) {"),
    ("=a stale figure in an end by its rule", DIFFER, "        if (!j || j->value == was->value)", "        if (true)"),
]


class Build:
    """How BUILD compiles a file and links a program, with one object put before."""

    def __init__(self, build):
        self.build = os.path.realpath(build)
        self.work = os.path.join(self.build, "mistakes")
        os.makedirs(self.work, exist_ok=True)

    def commands(self, target):
        done = subprocess.run(["ninja", "-C", self.build, "-t", "commands", target], capture_output=True, text=True,
                              check=True)
        return [shlex.split(line) for line in done.stdout.splitlines()]

    def run(self, words):
        return subprocess.run(words, cwd=self.build, capture_output=True, text=True)

    def compile(self, source, text):
        """The object of `source` with another text, or what the compiler said."""
        done = [c for c in self.commands("chisoctl") if c[-2:] == ["-c", os.path.join(ROOT, source)]]
        assert len(done) == 1, f"{source} is compiled {len(done)} times"
        changed = os.path.join(self.work, os.path.basename(source))
        with open(changed, "w", encoding="utf-8") as f:
            f.write(text)
        words = done[0]
        for flag in ("-MF", "-MT", "-o"):
            words[words.index(flag) + 1] = changed + (".d" if flag == "-MF" else ".o")
        said = self.run(words[:-1] + ["-Wno-unused", changed])
        return (changed + ".o", None) if said.returncode == 0 else (None, said.stderr)

    def link(self, target, obj):
        words = self.commands(target)[-1][2:]  # ": && gcc ... && :"
        words = words[:words.index("&&")]
        at = words.index("-o")
        program = os.path.join(self.work, os.path.basename(target))
        words[at + 1] = program
        said = self.run(words[:at] + [obj] + words[at:])
        assert said.returncode == 0, said.stderr
        return program


def seeded(source, old, new):
    with open(os.path.join(ROOT, source), encoding="utf-8") as f:
        text = f.read()
    assert text.count(old) == 1, f"{source}: {text.count(old)} times {old!r}"
    return text.replace(old, new)


def noticed(build, name, obj):
    if name.startswith("*"):
        return build.run([build.link("tests/alert-properties", obj), RUNS]).returncode == 1
    if name.startswith("="):
        return "FAILED" in build.run([build.link("tests/test-engine-judge", obj)]).stderr
    program = build.link("chisoctl", obj)
    done = build.run([program, "rules", "test", os.path.join(ROOT, "tests", "scenarios", name + ".rules")])
    return done.returncode == 1 and name + ".rules:" in done.stdout + done.stderr


def main():
    os.environ["CHISO_SHARE_DIR"] = os.path.join(ROOT, "conf")
    build, wanted, failed = Build(sys.argv[1]), sys.argv[2:], []
    chosen = [m for m in MISTAKES if not wanted or m[0] in wanted]
    for name, source, old, new in chosen:
        obj, said = build.compile(source, seeded(source, old, new))
        if not obj:
            failed.append(f"{name}: does not compile: {said}")
        elif not noticed(build, name, obj):
            failed.append(f"{name}: passes with the mistake in {source}: {new.strip()}")
    for line in failed:
        print(line)
    print(f"mistakes: {len(chosen)} seeded, {len(failed)} not noticed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
