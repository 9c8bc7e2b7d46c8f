package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/vici"
)

// TestTwoGateways brings a tunnel up between two gateways, moves octets through it, replaces all keys and takes it down
// again, with the commands that an operator has.
func TestTwoGateways(t *testing.T) {
	l := newLab(t)
	left, right := l.pair(nil)

	echo(t, left, right, "before")
	for _, c := range []struct {
		args, stdout string
	}{
		{"rekey net", "net is rekeyed (1 SA)\n"},
		{"rekey lab/net --no-wait", "rekeying lab/net (1 SA)\n"},
		{"rekey lab --timeout 15s", "lab is rekeyed (1 SA)\n"},
	} {
		before := left.seen.count()
		code, stdout, stderr := cli(append(strings.Fields(c.args), "--socket", left.socket)...)
		if code != exitOK || stdout != c.stdout || stderr != "" {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", c.args, code, stdout, stderr)
		}
		left.seen.await(t, c.args, func(w *watcher) bool { return w.childRekeys+w.ikeRekeys > before })
	}
	echo(t, left, right, "after")

	if code, stdout, stderr := cli("rekey", "lab/net", "--reauth", "--socket", left.socket); code != exitUsage || stdout != "" ||
		!strings.Contains(stderr, "--reauth is for a connection, and lab/net is a child: name its connection") {
		t.Errorf("rekey a child with --reauth: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	for _, none := range []string{"nope", "nope/net", "lab/nope"} {
		if code, stdout, stderr := cli("rekey", none, "--reauth", "--no-wait", "--socket", left.socket); code != exitFailed || stdout != "" ||
			!strings.Contains(stderr, `there is no connection named "`+none+`"`) {
			t.Errorf("rekey %s with --reauth: exit code %d, stdout %q, stderr %q", none, code, stdout, stderr)
		}
	}
	if code, stdout, stderr := cli("redirect", "lab", "192.0.2.9", "--socket", left.socket); code != exitFailed || stdout != "" ||
		!strings.Contains(stderr, "only the side that was called can send the other one elsewhere") {
		t.Errorf("redirect by the side that has initiated: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	ups, downs := left.seen.children()
	if code, stdout, stderr := cli("rekey", "lab", "--reauth", "--socket", left.socket); code != exitOK ||
		stdout != "lab is reauthenticated (1 SA)\n" || stderr != "" {
		t.Errorf("rekey --reauth: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	left.seen.await(t, "a new CHILD SA, and the end of the old one", func(w *watcher) bool { return w.up > ups && w.down > downs })
	right.seen.await(t, "the same at the right", func(w *watcher) bool { return w.up > ups && w.down > downs })
	echo(t, left, right, "reauthenticated")

	downs++
	code, stdout, stderr := cli("terminate", "lab", "--socket", left.socket, "--timeout", "10s")
	if code != exitOK || stdout != "lab is down (1 SA), and kept down until `esplanade initiate lab`\n" {
		t.Errorf("terminate: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	right.seen.await(t, "the end at the right", func(w *watcher) bool { return w.down > downs })
	code, stdout, stderr = cli("initiate", "lab/net", "--socket", left.socket, "--timeout", "10s")
	if code != exitOK || stdout != "lab/net is up\n" || !strings.Contains(stderr, "[IKE] IKE_SA lab established between") {
		t.Errorf("initiate: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	echo(t, left, right, "again")
}

// children is how many CHILD SAs have come up, and have gone.
func (w *watcher) children() (up, down int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.up, w.down
}

// count is how many SAs have been replaced.
func (w *watcher) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.childRekeys + w.ikeRekeys
}

// echo sends a line from one end to the other and back, over TCP through the tunnel.
func echo(t *testing.T, from, to *node, line string) {
	t.Helper()
	to.echoes++ // a new port each time: netstack keeps the old one for a while
	at := netip.AddrPortFrom(to.conf.TUN.Addresses[0].Addr(), 10000+to.echoes)
	lis, err := to.net.ListenTCPAddrPort(at)
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	done := make(chan error, 1)
	go func() {
		c, err := lis.Accept()
		if err != nil {
			done <- err
			return
		}
		defer c.Close()
		buf := make([]byte, len(line))
		if _, err = io.ReadFull(c, buf); err == nil {
			_, err = c.Write(buf)
		}
		done <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := from.net.DialContextTCPAddrPort(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	buf := make([]byte, len(line))
	if _, err := c.Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != line {
		t.Fatalf("%q came back, %v", buf, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestUnknownNames: each command says which names there are.
func TestUnknownNames(t *testing.T) {
	l := newLab(t)
	n := l.start(rightSide())
	for _, args := range []string{"status nope", "initiate nope", "initiate lab/nope", "initiate nope/net", "terminate nope", "rekey nope"} {
		code, stdout, stderr := cli(append(strings.Fields(args), "--socket", n.socket)...)
		if code != exitFailed || stdout != "" || !strings.Contains(stderr, "nope") || !strings.Contains(stderr, "lab") || !strings.Contains(stderr, "Fix: ") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	for _, command := range []string{"status", "initiate", "terminate", "rekey"} {
		if _, names, _ := cli("__complete", command, "--socket", n.socket, ""); !strings.Contains(names, "lab\nlab/net\n") {
			t.Errorf("%s completes %q", command, names)
		}
	}
	// What exists and is not up.
	code, _, stderr := cli("rekey", "net", "--socket", n.socket)
	if code != exitFailed || !strings.Contains(stderr, "only what is up can be rekeyed") {
		t.Errorf("rekey: exit code %d, stderr %q", code, stderr)
	}
	// A connection without an address to call.
	code, _, stderr = cli("initiate", "lab", "--socket", n.socket)
	if code != exitFailed || !strings.Contains(stderr, "remote_addrs") {
		t.Errorf("initiate: exit code %d, stderr %q", code, stderr)
	}
}

// TestSilentPeer: initiate waits for the verdict and says it; with a timeout it waits no longer than that.
func TestSilentPeer(t *testing.T) {
	l := newLab(t)
	s := leftSide(unusedPort(t))
	s.action = "none"
	n := l.start(s)
	code, stdout, stderr := cli("initiate", "lab", "--socket", n.socket, "--timeout", "1ms")
	// Whether a millisecond is enough for the command to begin depends on the machine.
	begun, late := strings.Contains(stderr, "lab is not up yet: the 1ms of --timeout are over"), strings.Contains(stderr, "'lab' not established after 1ms")
	if code != exitFailed || stdout != "" || !begun && !late {
		t.Errorf("with a timeout: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, stderr = cli("initiate", "lab", "--socket", n.socket)
	if code != exitFailed || stdout != "" || !strings.Contains(stderr, "esplanade: E-") || !strings.Contains(stderr, "Fix: ") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	_, failure, _ := strings.Cut(stderr, "esplanade: ")
	if n := strings.Count(stderr, strings.TrimSpace(failure)); n != 1 {
		t.Errorf("the failure is printed %d times: %s", n, stderr)
	}
}

// TestStatus: a tunnel that is up, for people and for programs.
func TestStatus(t *testing.T) {
	t.Setenv("COLUMNS", "500")
	l := newLab(t)
	left, right := l.pair(nil)
	echo(t, left, right, "some octets")

	_, table, _ := cli("status", "--socket", left.socket)
	for _, want := range []string{
		"esplanade " + fullVersion() + ", up ", left.conf.File + " loaded 2", "\n1 tunnel: 1 up, all as wanted\n", "\nlab/net  up     ",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	code, stdout, stderr := cli("status", "--verbose", "--socket", left.socket)
	if code != exitOK || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	for _, want := range []string{
		"device netstack mtu 1406; nat-t 127.0.0.1:",
		"\nlab: up for ", ", wanted up, rekeys in ", " [left.example] <-> 127.0.0.1:", "  net: up for ", "    10.1.0.1/32 === 10.2.0.1/32\n", "    in ",
		" initiator here; SPIs ", "NAT: none", " installed for ", "; ESP in UDP\n", " ago; out ",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if _, child, _ := cli("status", "lab/net", "--socket", left.socket); !strings.Contains(child, "\nlab: up for ") {
		t.Errorf("status of a child:\n%s", child)
	}
	if _, peer, _ := cli("status", "right.example", "--socket", left.socket); !strings.Contains(peer, "\nlab: up for ") {
		t.Errorf("status of a peer:\n%s", peer)
	}
	code, stdout, stderr = cli("status", "lab", "--json", "--socket", left.socket)
	var r statusReport
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || code != exitOK || stderr != "" {
		t.Fatalf("exit code %d, stderr %q, %v", code, stderr, err)
	}
	c := r.Connections[0]
	if c.Name != "lab" || c.Desired != "up" || c.State != "up" || c.Failure != nil || c.LocalID != "left.example" || c.RemoteID != "right.example" ||
		c.Since.IsZero() || c.NextRekey.IsZero() {
		t.Errorf("%+v", c)
	}
	if h := c.Children[0]; h.State != "up" || h.SAs != 1 || h.PacketsIn == 0 || h.BytesOut == 0 || !slices.Equal(h.RemoteTS, []string{"10.2.0.1/32"}) {
		t.Errorf("%+v", h)
	}
	if len(c.Peers) != 1 || c.Peers[0].RemoteID != "right.example" || len(c.Peers[0].Children) != 1 || c.Peers[0].Children[0].LastIn.IsZero() ||
		len(c.Peers[0].Traffic) != 1 || c.Peers[0].Traffic[0].PacketsIn == 0 {
		t.Errorf("%+v", c.Peers)
	}
	if r.Gateway.LoadedAt.IsZero() || r.Gateway.ReloadError != "" || r.Gateway.IKESAs != 1 || r.Gateway.ChildSAs != 1 {
		t.Errorf("%+v", r.Gateway)
	}
}

// TestStatusOfFailures: what is not up says why and how to repair it, in the same words everywhere.
func TestStatusOfFailures(t *testing.T) {
	t.Setenv("COLUMNS", "5000")
	l := newLab(t)
	r := rightSide()
	r.psk = "another-key-than-the-left-one-4Hh81"
	right := l.start(r)
	left := l.start(leftSide(right.natt()))
	left.seen.await(t, "the failure at the left", func(w *watcher) bool { return len(w.failures) > 0 })
	right.seen.await(t, "the failure at the right", func(w *watcher) bool { return len(w.failures) > 0 })

	for _, n := range []*node{left, right} {
		n.seen.mu.Lock()
		f := n.seen.failures[0]
		n.seen.mu.Unlock()
		if want := map[*node]diag.Code{left: diag.CodeAuthRefused, right: diag.CodeAuthPSK}[n]; f.Code != want {
			t.Fatalf("%s", f)
		}
		_, stdout, _ := cli("status", "--socket", n.socket)
		if !strings.HasSuffix(stdout, "\nmore about a failure: esplanade explain "+string(f.Code)+"\n") {
			t.Errorf("status does not name the command that explains the failure:\n%s", stdout)
		}
		if n == left && !strings.Contains(stdout, "\n    "+f.Summary()) || !strings.Contains(stdout, "\n    Fix: "+f.Advice()+"\n") {
			t.Errorf("%s does not show %q:\n%s", n.conf.File, f.Error(), stdout)
		}
		_, stdout, _ = cli("status", "lab", "--socket", n.socket)
		if !strings.Contains(stdout, "last failure ") || !strings.Contains(stdout, "\n    "+f.Summary()+"\n    Fix: "+f.Advice()+"\n") {
			t.Errorf("%s does not show %q:\n%s", n.conf.File, f.Error(), stdout)
		}
		_, stdout, _ = cli("status", "--json", "--socket", n.socket)
		var s statusReport
		if err := json.Unmarshal([]byte(stdout), &s); err != nil {
			t.Fatal(err)
		}
		if g := s.Connections[0].Failure; g == nil || g.Code != string(f.Code) || g.Message != f.Summary() || g.Fix != f.Advice() || g.Count < 1 {
			t.Errorf("%+v", g)
		}
		if !strings.Contains(n.log.String(), "failure.code="+string(f.Code)) {
			t.Errorf("not in the log of %s", n.conf.File)
		}
	}
	code, _, stderr := cli("initiate", "lab", "--socket", left.socket)
	if code != exitFailed || !strings.Contains(stderr, "esplanade: E-AUTH-REFUSED lab") || !strings.Contains(stderr, "Fix: ") {
		t.Errorf("initiate: exit code %d, stderr %q", code, stderr)
	}
}

// TestSecondDaemon: it says that there is a first one, touches nothing of it, and leaves nothing behind.
func TestSecondDaemon(t *testing.T) {
	l := newLab(t)
	first := l.start(rightSide())
	conf, err := config.Load(first.conf.File)
	if err != nil {
		t.Fatal(err)
	}
	_, err = newGateway(conf, gatewayOptions{log: slog.DiscardHandler, ephemeral: true})
	if err == nil || !strings.Contains(err.Error(), "another daemon answers on "+first.socket) || !strings.Contains(err.Error(), conf.File+":3") {
		t.Errorf("%v", err)
	}
	if code, _, stderr := cli("status", "--socket", first.socket); code != exitOK {
		t.Errorf("the first one is gone: %s", stderr)
	}

	// Another socket, but the same port for metrics: the socket that was opened first is gone again.
	conf.Control.Socket = l.path("second.vici")
	conf.Metrics.Listen = first.http.l.Addr().String()
	_, err = newGateway(conf, gatewayOptions{log: slog.DiscardHandler, ephemeral: true})
	if err == nil || !strings.Contains(err.Error(), "metrics.listen") || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(conf.Control.Socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the control socket was left behind: %v", err)
	}
}

// TestPortInUse: the failure names the address, the line of the configuration and the fix.
func TestPortInUse(t *testing.T) {
	l := newLab(t)
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := rightSide()
	s.ike = fmt.Sprintf("port = %d\nport_nat_t = %d", c.LocalAddr().(*net.UDPAddr).Port, unusedPort(t))
	file := l.write("busy.toml", strings.Replace(l.text(s), `listen = "127.0.0.1:0"`, "", 1))
	code, _, stderr := cli("run", "-c", file)
	if code != exitFailed || !strings.HasPrefix(stderr, "esplanade: E-BIND: ") || !strings.Contains(stderr, c.LocalAddr().String()) ||
		!strings.Contains(stderr, file+":12") || !strings.Contains(stderr, "Fix: stop the program that holds the port") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}

	s.ike = fmt.Sprintf("port = %d\nport_nat_t = %d", unusedPort(t), unusedPort(t))
	text := strings.Replace(l.text(s), `local_addrs = ["127.0.0.1"]`, `local_addrs = ["192.0.2.77"]`, 1)
	text = strings.Replace(text, "remote_addrs = ", "mobike_addrs = \"local_addrs\"\nremote_addrs = ", 1) // or all addresses are bound
	file = l.write("elsewhere.toml", strings.Replace(text, `listen = "127.0.0.1:0"`, "", 1))
	code, _, stderr = cli("run", "-c", file)
	if code != exitFailed || !strings.HasPrefix(stderr, "esplanade: E-BIND lab: ") || !strings.Contains(stderr, file+":15") ||
		!strings.Contains(stderr, "Fix: put an address of this machine into local_addrs") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// TestSilentDaemon: a daemon that does not answer, or ends instead, is told apart from one that is not there.
func TestSilentDaemon(t *testing.T) {
	l := newLab(t)
	u, err := net.Listen("unix", l.path("silent.vici"))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	accepted := make(chan net.Conn, 2)
	go func() {
		for {
			c, err := u.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	v, err := vici.DialContext(t.Context(), u.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	c := &client{Client: v, path: u.Addr().String(), answer: time.Millisecond, log: io.Discard}
	if _, err := c.status(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "does not answer within 1ms") {
		t.Errorf("%v", err)
	}
	(<-accepted).Close()

	result := make(chan string, 1)
	go func() {
		code, _, stderr := cli("status", "--socket", u.Addr().String())
		result <- fmt.Sprint(code, " ", stderr)
	}()
	(<-accepted).Close()
	if got := <-result; !strings.HasPrefix(got, "1 esplanade: the daemon at "+u.Addr().String()+" ended before it answered") {
		t.Errorf("%s", got)
	}
}
