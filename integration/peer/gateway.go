//go:build linux

package peer

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"esplanade/integration/lab"
)

// stopGrace is how long a gateway may take to say goodbye to its peers. It is longer than the retransmissions
// for a peer that doesn't answer.
const stopGrace = 20 * time.Second

// startLimit is how long a gateway may take until its control socket answers.
const startLimit = 20 * time.Second

// Peer is a gateway on a host of the lab. Methods that can only fail when the test machine is broken, or when
// the gateway doesn't start at all, fail the test themselves.
type Peer interface {
	// Kind is "esplanade" or "strongswan".
	Kind() string
	// Site is where it runs.
	Site() *lab.Site
	// Start runs the daemon and waits until its control socket answers and the configuration is loaded.
	Start(t testing.TB)
	// Launch does the same, but doesn't mind when the daemon is killed before it is ready.
	Launch(t testing.TB)
	// Stop ends it in an orderly way: SIGTERM, upon which it deletes its SAs.
	Stop(t testing.TB)
	// Kill ends it as a power cut does.
	Kill()
	// Socket is the path of the VICI socket.
	Socket() string
	// Log is everything the daemon has written, over all its runs.
	Log() string
}

// The kinds of gateway.
const (
	KindEsplanade  = "esplanade"
	KindStrongSwan = "strongswan"
)

// New prepares a gateway of either kind; it isn't started.
func New(t testing.TB, kind string, site *lab.Site, gw Gateway) Peer {
	t.Helper()
	switch kind {
	case KindEsplanade:
		return newEsplanade(t, site, gw)
	case KindStrongSwan:
		return newStrongSwan(t, site, gw)
	}
	t.Fatalf("there is no kind of gateway %q", kind)
	return nil
}

// Programs are what the tests need to run gateways of these kinds. swanctl drives both.
func Programs(kinds ...string) []string {
	programs := []string{"swanctl"}
	if slices.Contains(kinds, KindStrongSwan) {
		programs = append(programs, "charon-systemd")
	}
	return programs
}

// Swanctl runs Debian's stock swanctl against a gateway and returns its output; a failed command is an error
// that holds the output.
func Swanctl(p Peer, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	return p.Site().RunContext(ctx, swanctlCommand(p, args...))
}

func swanctlCommand(p Peer, args ...string) lab.Command {
	return lab.Command{
		Args: append(append([]string{unconfined("swanctl")}, args...), "--uri", "unix://"+p.Socket()),
		Env:  []string{"STRONGSWAN_CONF=" + unconfined(noConf)},
	}
}

// waitForControl waits until a daemon answers on its control socket; it gives up when the daemon has ended.
func waitForControl(t testing.TB, p Peer, proc *lab.Process) {
	t.Helper()
	lab.Eventually(t, startLimit, p.Kind()+" on "+p.Site().Name+" answers on its control socket", func() (bool, string) {
		if !proc.Running() {
			return true, ""
		}
		out, err := Swanctl(p, "--stats")
		if err != nil {
			return false, err.Error()
		}
		return true, out
	})
}

// wantRunning fails the test when a daemon has ended.
func wantRunning(t testing.TB, p Peer, proc *lab.Process) {
	t.Helper()
	if !proc.Running() {
		t.Fatalf("%s on %s ended at once:\n%s", p.Kind(), p.Site().Name, tail(p.Log(), 40))
	}
}

// Watch runs a swanctl command that goes on, such as --log, until the test ends. When Watch returns, it listens.
func Watch(t testing.TB, p Peer, args ...string) *lab.Process {
	t.Helper()
	c := swanctlCommand(p, args...)
	c.Args = append([]string{"stdbuf", "-oL"}, c.Args...) // else nothing is written before 4 KiB are
	w, err := p.Site().Start("swanctl"+args[0], c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Kill)
	lab.Eventually(t, startLimit, "swanctl "+args[0]+" listens", func() (bool, string) {
		// Once it has registered for the events, and not before, it waits for a signal to end it.
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", w.PID()))
		if err != nil {
			return false, err.Error() + "\n" + w.Log()
		}
		return strings.HasPrefix(string(b), fmt.Sprintf("%d ", unix.SYS_RT_SIGTIMEDWAIT)), string(b) + w.Log()
	})
	return w
}

// Initiate brings up a child and waits for the outcome.
func Initiate(p Peer, child string) (string, error) {
	return Swanctl(p, "--initiate", "--child", child, "--timeout", "30")
}

// SAs lists the gateway's IKE SAs with their CHILD SAs.
func SAs(p Peer) ([]IKESA, error) {
	out, err := Swanctl(p, "--list-sas", "--pretty")
	if err != nil {
		return nil, err
	}
	return parseSAs(out)
}

// DescribeSAs is SAs as text for a failed test.
func DescribeSAs(p Peer) string {
	out, err := Swanctl(p, "--list-sas")
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s on %s:\n%s", p.Kind(), p.Site().Name, out)
}

// tail is the end of a log, for a failed test.
func tail(s string, lines int) string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// head is the beginning of a text.
func head(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[:min(lines, len(all))], "\n")
}
