//go:build linux

package integration

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// bulkBytes goes through the tunnel in each direction: enough for many TCP windows and replay windows.
const bulkBytes = 8 << 20

// suites are the algorithms a tunnel is shown with. want is what --list-sas must name at both ends.
var suites = []struct {
	name     string
	ike, esp string
	outer6   bool
	plainESP bool // between two Esplanades, without UDP encapsulation
	wantIKE  string
	wantESP  string // before the first rekeying, so without a group
	wantDH   string // of the CHILD SA after it
}{
	{name: "gcm256-ecp384", ike: "aes256gcm16-prfsha384-ecp384", esp: "aes256gcm16-ecp384",
		wantIKE: "AES_GCM_16-256 PRF_HMAC_SHA2_384 ECP_384", wantESP: "AES_GCM_16-256", wantDH: "ECP_384"},
	{name: "gcm128-x25519", ike: "aes128gcm16-prfsha256-x25519", esp: "aes128gcm16-x25519",
		wantIKE: "AES_GCM_16-128 PRF_HMAC_SHA2_256 CURVE_25519", wantESP: "AES_GCM_16-128", wantDH: "CURVE_25519"},
	{name: "chacha20-outer-ipv6", ike: "chacha20poly1305-prfsha256-x25519", esp: "chacha20poly1305-ecp256", outer6: true,
		wantIKE: "CHACHA20_POLY1305 PRF_HMAC_SHA2_256 CURVE_25519", wantESP: "CHACHA20_POLY1305", wantDH: "ECP_256"},
	{name: "cbc-sha256-modp2048", ike: "aes256-sha256-modp2048", esp: "aes256-sha256-modp2048",
		wantIKE: "AES_CBC-256 HMAC_SHA2_256_128 PRF_HMAC_SHA2_256 MODP_2048", wantESP: "AES_CBC-256 HMAC_SHA2_256_128", wantDH: "MODP_2048"},
	{name: "cbc-sha512-modp3072-outer-ipv6", ike: "aes128-sha512-modp3072", esp: "aes128-sha512-modp3072", outer6: true,
		wantIKE: "AES_CBC-128 HMAC_SHA2_512_256 PRF_HMAC_SHA2_512 MODP_3072", wantESP: "AES_CBC-128 HMAC_SHA2_512_256", wantDH: "MODP_3072"},
	{name: "cbc-sha1-ecp521", ike: "aes128-sha1-ecp521", esp: "aes128-sha1", plainESP: true,
		wantIKE: "AES_CBC-128 HMAC_SHA1_96 PRF_HMAC_SHA1 ECP_521", wantESP: "AES_CBC-128 HMAC_SHA1_96"},
}

// TestTunnel is the main job: a tunnel that carries IPv4 and IPv6 both ways, with nothing lost while its keys are
// renewed from either side under load, and that goes away without a trace.
func TestTunnel(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		for i, s := range suites {
			t.Run(k.String()+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{IKE: []string{s.ike}, ESP: []string{s.esp}, Outer6: s.outer6, Encap: !s.plainESP})
				p.start(t)
				p.initiate(t)
				p.wantAlgorithms(t, s.wantIKE, s.wantESP)
				p.wantSelectors(t)
				p.wantPing(t)
				p.wantFragments(t)
				p.wantBulk(t, false, bulkBytes)
				p.wantBulk(t, true, bulkBytes)
				p.wantCounted(t, 2*bulkBytes)
				p.rekeyUnderLoad(t, s.wantDH, i == 0)
				p.terminate(t)
			})
		}
	}
}

// TestHarness runs the same steps between two strongSwans, so that a failure of TestTunnel is not the lab's.
func TestHarness(t *testing.T) {
	t.Parallel()
	s := suites[0]
	p := newPair(t, kinds{peer.KindStrongSwan, peer.KindStrongSwan}, tunnel{IKE: []string{s.ike}, ESP: []string{s.esp}})
	p.start(t)
	p.initiate(t)
	p.wantAlgorithms(t, s.wantIKE, s.wantESP)
	p.wantSelectors(t)
	p.wantPing(t)
	p.wantBulk(t, false, 1<<20)
	p.wantCounted(t, 1<<20)
	p.rekeyUnderLoad(t, s.wantDH, true)
	p.terminate(t)
}

func (p *pair) wantAlgorithms(t *testing.T, ike, esp string) {
	t.Helper()
	s := p.wantUp(t, time.Second)
	for _, sa := range []peer.IKESA{s.ikeA, s.ikeB} {
		if got := join(sa.Encr, sa.Integ, sa.PRF, sa.DH); got != ike {
			t.Errorf("IKE SA at %s uses %q, want %q", sa.LocalID, got, ike)
		}
	}
	for _, c := range []peer.ChildSA{s.childA, s.childB} {
		if got := join(c.Encr, c.Integ); got != esp {
			t.Errorf("CHILD SA uses %q, want %q", got, esp)
		}
	}
}

// join leaves out what is empty.
func join(parts ...string) string { return strings.Join(strings.Fields(strings.Join(parts, " ")), " ") }

// wantSelectors checks that both ends have both families, each from its own side.
func (p *pair) wantSelectors(t *testing.T) {
	t.Helper()
	s := p.wantUp(t, time.Second)
	a := fmt.Sprint([]string{p.A.Net4.String(), p.A.Net6.String()})
	b := fmt.Sprint([]string{p.B.Net4.String(), p.B.Net6.String()})
	for _, c := range []struct {
		what string
		got  []string
		want string
	}{{"a local", s.childA.LocalTS, a}, {"a remote", s.childA.RemoteTS, b}, {"b local", s.childB.LocalTS, b}, {"b remote", s.childB.RemoteTS, a}} {
		if fmt.Sprint(c.got) != c.want {
			t.Errorf("selectors, %s: %v, want %v", c.what, c.got, c.want)
		}
	}
}

// wantCounted checks that both ends have counted at least the payload that went through in each direction.
func (p *pair) wantCounted(t *testing.T, atLeast int) {
	t.Helper()
	s := p.wantUp(t, time.Second)
	for what, v := range map[string]string{"a in": s.childA.BytesIn, "a out": s.childA.BytesOut, "b in": s.childB.BytesIn, "b out": s.childB.BytesOut} {
		if n, err := strconv.Atoi(v); err != nil || n < atLeast {
			t.Errorf("octets counted %s: %q, want at least %d", what, v, atLeast)
		}
	}
}

// rekeyRate keeps a transfer far below what any of the gateways carries, so that no queue overflows: every loss is
// then one of the rekeying's.
const rekeyRate = 256 << 10

// rekeyUnderLoad renews the CHILD SA and the IKE SA from each side, and with crossing each of them from both sides at once, while
// a transfer and a probe run; not one packet may be lost. That requests cross has nothing to do with algorithms, and whether
// they did shows only after settleTime.
func (p *pair) rekeyUnderLoad(t *testing.T, wantDH string, crossing bool) {
	t.Helper()
	p.underLoad(t, 0, func(progress func()) {
		for _, end := range p.peers() {
			p.rekeyChild(t, wantDH, end)
			progress()
			p.rekeyIKE(t, end)
			progress()
		}
		if !crossing {
			return
		}
		p.rekeyChild(t, wantDH, p.a, p.b)
		p.wantSettled(t)
		progress()
		p.rekeyIKE(t, p.a, p.b)
		progress()
	})
}

// underLoad runs do while a transfer and a probe run, of which no more packets may be lost than allowed. progress waits
// until the transfer has moved on in both directions.
func (p *pair) underLoad(t *testing.T, allowed int, do func(progress func())) {
	t.Helper()
	a4, b4 := p.ends(false)
	a6, b6 := p.ends(true)
	overflow := p.overflow(t)
	probe, err := lab.StartProbe(a6, b6, 0)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := lab.StartFlow(a4, b4, lab.FlowOptions{Rate: rekeyRate})
	if err != nil {
		t.Fatal(err)
	}
	defer flow.Abort()
	p.wantProgress(t, flow)
	do(func() { t.Helper(); p.wantProgress(t, flow) })
	r, err := flow.Finish()
	if err != nil {
		t.Fatalf("transfer meanwhile: %v", err)
	}
	t.Logf("transfer meanwhile: %v; %v", r.Forth, r.Back)
	lost, err := probe.Finish()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("probe meanwhile: %v", lost)
	// On an overloaded machine the kernel drops what a gateway wasn't scheduled in time to take. It counts each.
	dropped := p.overflow(t) - overflow
	if dropped > 0 {
		t.Logf("the kernel dropped %d packets because a gateway wasn't given the processor in time", dropped)
	}
	if lost.Lost() > dropped+allowed {
		t.Errorf("packets were lost: %v", lost)
	}
}

// overflow is how many packets the kernel has dropped so far because a gateway didn't take them in time.
func (p *pair) overflow(t *testing.T) int {
	t.Helper()
	o, err := p.Overflow()
	if err != nil {
		t.Fatal(err)
	}
	return o.Total()
}

// wantProgress waits until the transfer has moved on in both directions.
func (p *pair) wantProgress(t *testing.T, f *lab.Flow) {
	t.Helper()
	p.wantProgressIn(t, f, 10*time.Second)
}

func (p *pair) wantProgressIn(t *testing.T, f *lab.Flow, limit time.Duration) {
	t.Helper()
	forth, back := f.Received()
	lab.Eventually(t, limit, "the transfer goes on", func() (bool, string) {
		x, y := f.Received()
		return x > forth+rekeyRate/20 && y > back+rekeyRate/20, fmt.Sprintf("received %d and %d octets, before %d and %d", x, y, forth, back)
	})
}

// settleTime is how long nothing must change after both ends were told to rekey: unless their requests have crossed, there
// is a second rekeying after the first. An end that was refused with TEMPORARY_FAILURE tries again after ten seconds at
// the latest.
const settleTime = 12 * time.Second

// wantSettled waits until both ends have had the same tunnel for settleTime.
func (p *pair) wantSettled(t *testing.T) {
	t.Helper()
	var last state
	since := time.Now()
	lab.Eventually(t, 40*time.Second, "the tunnel has settled", func() (bool, string) {
		s, problem := p.look()
		if problem != "" || s.ikeA.SPIi != last.ikeA.SPIi || s.childA.SPIIn != last.childA.SPIIn {
			last, since = s, time.Now()
		}
		return problem == "" && time.Since(since) >= settleTime, problem
	})
}

// rekeyChild asks the ends for a new CHILD SA, all at once, and waits until both have exactly one, and a new one.
func (p *pair) rekeyChild(t *testing.T, wantDH string, ends ...peer.Peer) {
	t.Helper()
	before := p.wantUp(t, 5*time.Second)
	p.askAll(t, ends, "--rekey", "--child", childName)
	var after state
	lab.Eventually(t, 15*time.Second, "a new CHILD SA after rekeying from "+names(ends), func() (bool, string) {
		var problem string
		if after, problem = p.look(); problem != "" {
			return false, problem
		}
		return after.childA.SPIIn != before.childA.SPIIn && after.childA.SPIOut != before.childA.SPIOut, "still the old one\n" + peer.DescribeSAs(p.a)
	})
	if after.ikeA.SPIi != before.ikeA.SPIi {
		t.Errorf("rekeying the CHILD SA from %s changed the IKE SA", names(ends))
	}
	if after.childA.DH != wantDH || after.childB.DH != wantDH {
		t.Errorf("the new CHILD SA has key exchange %q at a and %q at b, want %q", after.childA.DH, after.childB.DH, wantDH)
	}
}

// rekeyIKE does the same for the IKE SA, whose CHILD SA must stay what it was.
func (p *pair) rekeyIKE(t *testing.T, ends ...peer.Peer) {
	t.Helper()
	before := p.wantUp(t, 5*time.Second)
	p.askAll(t, ends, "--rekey", "--ike", connName)
	lab.Eventually(t, 15*time.Second, "a new IKE SA after rekeying from "+names(ends), func() (bool, string) {
		after, problem := p.look()
		if problem != "" {
			return false, problem
		}
		if after.childA.SPIIn != before.childA.SPIIn || after.childA.SPIOut != before.childA.SPIOut {
			t.Fatalf("rekeying the IKE SA from %s changed the CHILD SA", names(ends))
		}
		return after.ikeA.SPIi != before.ikeA.SPIi && after.ikeA.SPIr != before.ikeA.SPIr, "still the old one\n" + peer.DescribeSAs(p.a)
	})
}

// askAll runs one swanctl command on all ends at the same time.
func (p *pair) askAll(t *testing.T, ends []peer.Peer, args ...string) {
	t.Helper()
	results := make(chan error, len(ends))
	for _, end := range ends {
		go func() {
			_, err := peer.Swanctl(end, args...)
			results <- err
		}()
	}
	for range ends {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
}

func names(ends []peer.Peer) string {
	var all []string
	for _, e := range ends {
		all = append(all, e.Kind()+" on "+e.Site().Name)
	}
	return strings.Join(all, " and ")
}

// terminate ends the tunnel from a; both ends must forget it.
func (p *pair) terminate(t *testing.T) {
	t.Helper()
	if _, err := peer.Swanctl(p.a, "--terminate", "--ike", connName, "--timeout", "10"); err != nil {
		t.Fatal(err)
	}
	p.wantNoState(t, 10*time.Second)
	a, b := p.ends(false)
	if r, err := lab.Ping(a, b, lab.PingOptions{Patience: 500 * time.Millisecond}); err == nil && r.Received != 0 {
		t.Errorf("traffic still flows after the tunnel was terminated: %v", r)
	}
}
