//go:build linux

package integration

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// swanWorld is a gateway on a, whose answers are compared, and a strongSwan on b.
type swanWorld struct {
	*pair
	t *testing.T
	// marked are SPIs that renewed waits to see replaced.
	marked string
	// outputs are what swanctl has said, step by step.
	outputs []swanOutput
}

// swanOutput is what swanctl has printed for a step, as lines that can be compared.
type swanOutput struct {
	step  swanStep
	form  string
	lines []string
	whole string
}

// swanStep is a command of swanctl in a situation.
type swanStep struct {
	args string
	// forms are those in which it is asked, one after the other. None: --raw, --pretty, and plain.
	forms []string
	// before is done before each of them.
	before func(w *swanWorld)
	// after is waited for when the command has ended.
	after func(w *swanWorld)
}

func (s swanStep) verb() string {
	verb, _, _ := strings.Cut(s.args, " ")
	return strings.TrimPrefix(verb, "--")
}

// ids are written in arguments as IKE(connection) and CHILD(child).
// Files of the folder are written as FILE(name).
var fileInArgs = regexp.MustCompile(`FILE\(([^)]*)\)`)

var idInArgs = regexp.MustCompile(`(IKE|CHILD)\(([a-z]+)\)`)

// args are those of a step in this world, where unique ids are others than in the other one.
func (w *swanWorld) args(s swanStep) []string {
	w.t.Helper()
	line := fileInArgs.ReplaceAllString(s.args, w.folder()+"/$1")
	return strings.Fields(idInArgs.ReplaceAllStringFunc(line, func(word string) string {
		m := idInArgs.FindStringSubmatch(word)
		sas, err := peer.SAs(w.a)
		if err != nil {
			w.t.Error(err)
		}
		for _, sa := range sas {
			if m[1] == "IKE" && sa.Name == m[2] {
				return sa.UniqueID
			}
			for _, c := range sa.Children {
				if m[1] == "CHILD" && c.Name == m[2] {
					return c.UniqueID
				}
			}
		}
		w.t.Errorf("%s: %s: no such SA for %s\n%s", w.a.Kind(), s.args, word, peer.DescribeSAs(w.a))
		return "0"
	}))
}

// play does the steps, and keeps what swanctl says.
func (w *swanWorld) play(steps []swanStep) {
	w.t.Helper()
	for _, s := range steps {
		forms := s.forms
		if forms == nil {
			forms = []string{rawShown, prettyShown, plainShown}
		}
		for _, form := range forms {
			if s.before != nil {
				s.before(w)
			}
			args := w.args(s)
			if form != plainShown {
				args = append(args, form)
			}
			out, err := peer.Swanctl(w.a, args...)
			out = w.withoutFolder(out)
			code := 0
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				code = exit.ExitCode()
			} else if err != nil {
				w.t.Errorf("%s: %s: %v", w.a.Kind(), s.args, err)
			}
			w.outputs = append(w.outputs, swanOutput{s, form, canonical(s.verb(), form, out, code), out})
			if s.after != nil {
				s.after(w)
			}
		}
	}
}

// passing are states of SAs that will have another one in a moment; lasting some seconds more are those that have been replaced.
var (
	passing = regexp.MustCompile(`(?m)^ *state = (CONNECTING|REKEYING|DELETING|INSTALLING|CREATED)$`)
	lasting = regexp.MustCompile(`(?m)^ *state = (REKEYED|DELETED)$`)
)

// settled waits until no SA of either end is about to change.
func settled(w *swanWorld) { w.t.Helper(); w.without(passing) }

// quiet waits until there is nothing left of SAs that were replaced or deleted, either.
func quiet(w *swanWorld) { w.t.Helper(); w.without(passing, lasting) }

func (w *swanWorld) without(states ...*regexp.Regexp) {
	w.t.Helper()
	lab.Eventually(w.t, 15*time.Second, "the SAs have settled", func() (bool, string) {
		for _, p := range w.peers() {
			out, err := peer.Swanctl(p, "--list-sas", "--pretty")
			if err != nil {
				return false, err.Error()
			}
			for _, s := range states {
				if s.MatchString(out) {
					return false, out
				}
			}
			if strings.Count(out, "\n  gw {") > 1 { // one is authenticated again
				return false, out
			}
		}
		return true, ""
	})
}

// spis are the SPIs of all SAs that carry something.
func (w *swanWorld) spis() string {
	w.t.Helper()
	sas, err := peer.SAs(w.a)
	if err != nil {
		w.t.Error(err)
	}
	var list []string
	for _, sa := range sas {
		list = append(list, sa.SPIi)
		for _, c := range sa.Children {
			if c.State == "INSTALLED" {
				list = append(list, c.SPIIn)
			}
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// mark notes which SAs there are, and renewed waits until there are others.
func mark(w *swanWorld) { w.t.Helper(); w.marked = w.spis() }

func renewed(w *swanWorld) {
	w.t.Helper()
	lab.Eventually(w.t, 15*time.Second, "there are other SAs", func() (bool, string) { return w.spis() != w.marked, peer.DescribeSAs(w.a) })
	settled(w)
}

// command is a step in between, which is not compared.
func command(args ...string) func(w *swanWorld) {
	return func(w *swanWorld) {
		w.t.Helper()
		if out, err := peer.Swanctl(w.a, args...); err != nil {
			w.t.Errorf("%s: %v\n%s", w.a.Kind(), err, out)
		}
		settled(w)
	}
}

// up has the child net up, and nothing else.
func up(w *swanWorld) {
	w.t.Helper()
	down(w)
	command("--initiate", "--child", "net")(w)
}

// wantNone waits until the gateway whose answers are compared has no SA left.
func (w *swanWorld) wantNone(t *testing.T, limit time.Duration) {
	t.Helper()
	lab.Eventually(t, limit, "no SA is left", func() (bool, string) {
		sas, err := peer.SAs(w.a)
		return err == nil && len(sas) == 0, peer.DescribeSAs(w.a)
	})
}

// down has no SA up.
func down(w *swanWorld) {
	w.t.Helper()
	sas, err := peer.SAs(w.a)
	if err != nil {
		w.t.Error(err)
	}
	for _, sa := range sas {
		_, _ = peer.Swanctl(w.a, "--terminate", "--ike-id", sa.UniqueID, "--force", "--timeout", "5") // it may be gone meanwhile
	}
	w.wantNoState(w.t, 15*time.Second)
}

// compareWorlds holds what the two gateways have said against each other. What is different must be in the table.
func compareWorlds(t *testing.T, theirs, ours *swanWorld, seen map[int]bool) {
	t.Helper()
	if len(theirs.outputs) != len(ours.outputs) {
		t.Fatalf("%d and %d answers", len(theirs.outputs), len(ours.outputs))
	}
	for i, want := range theirs.outputs {
		got := ours.outputs[i]
		missing, extra := differ(want.lines, withoutTails(want.step, got.lines, seen))
		missing, extra = unexplained(want.step, missing, seen, true), unexplained(want.step, extra, seen, false)
		if len(missing)+len(extra) == 0 {
			continue
		}
		t.Errorf("swanctl %s %s\nonly strongSwan says:\n  %s\nonly Esplanade says:\n  %s\nstrongSwan:\n%s\nEsplanade:\n%s", want.step.args, want.form,
			strings.Join(missing, "\n  "), strings.Join(extra, "\n  "), want.whole, got.whole)
	}
}

// unexplained are the lines of one side that no row of the table has.
func unexplained(s swanStep, lines []string, seen map[int]bool, theirs bool) (left []string) {
	for _, l := range lines {
		found := false
		for i, d := range disparities() {
			pattern := d.ours
			if theirs {
				pattern = d.theirs
			}
			if d.concerns(s) && globMatches(pattern, l) {
				seen[i], found = true, true
				break
			}
		}
		if !found {
			left = append(left, l)
		}
	}
	return left
}

// withoutTails takes away what Esplanade adds to strongSwan's words at the end of a line, which has to be the same up to there.
func withoutTails(s swanStep, lines []string, seen map[int]bool) []string {
	lines = slices.Clone(lines)
	for i, d := range disparities() {
		tail, isTail := strings.CutPrefix(d.ours, more)
		if !isTail || !d.concerns(s) {
			continue
		}
		expr := regexp.MustCompile(`^(.*?)` + globText(tail) + `$`)
		for j, l := range lines {
			if m := expr.FindStringSubmatch(l); m != nil {
				lines[j], seen[i] = m[1], true
			}
		}
	}
	return lines
}

// globMatches reports whether a line is one of the lines of a pattern, in which * stands for anything.
func globMatches(pattern, line string) bool {
	for _, p := range strings.Split(pattern, "\n") {
		if p == "" {
			continue
		}
		if regexp.MustCompile("^" + globText(p) + "$").MatchString(line) {
			return true
		}
	}
	return false
}

// globText is a pattern as a regular expression.
func globText(pattern string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`)
}

// newSwanWorld is a gateway of a kind, with the folder of swanctl loaded, and its peer.
func newSwanWorld(t *testing.T, kind string, files map[string]string) *swanWorld {
	t.Helper()
	w := &swanWorld{t: t, pair: &pair{Lab: lab.New(t, lab.Options{})}}
	for i, site := range w.Sites() {
		var lines []string
		for n := 1; n < 8; n++ {
			lines = append(lines, fmt.Sprintf("addr add 10.%d.%d.1/32 dev lo", 10+10*i, n))
		}
		if err := site.IP(lines...); err != nil {
			t.Fatal(err)
		}
	}
	gone := map[string]string{"delete_rekeyed_delay": "1", "close_ike_on_child_failure": "no"}
	w.b = peer.New(t, peer.KindStrongSwan, w.B, peer.Gateway{IKE: gone, More: swanctlB})
	if kind == peer.KindStrongSwan {
		w.a = peer.New(t, kind, w.A, peer.Gateway{IKE: gone, Plugins: []string{"eap-identity", "eap-mschapv2", "md4", "des", "revocation"}})
	} else {
		w.a = peer.New(t, kind, w.A, peer.Gateway{})
	}
	w.layFiles(t, files)
	w.start(t)
	w.load(t, "start.conf")
	return w
}
