package initiators

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/auth"
	"esplanade/ike/credential"
	"esplanade/ike/eap"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

func open(local netip.AddrPort) (*net.UDPConn, error) {
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(local))
}

// responder answers with machines, until the end of the test.
type responder struct {
	ike, natt netip.AddrPort

	mu          sync.Mutex // also held while a datagram is handled
	machines    map[wire.SPI]*sa.Machine
	established int
	networks    map[string]int // the initiators' networks
}

func newResponder(t *testing.T, psk string, edits ...func(*sa.Config, *sa.Env)) *responder {
	t.Helper()
	r := &responder{machines: map[wire.SPI]*sa.Machine{}, networks: map[string]int{}}
	l := &load{Options: options(r, 1)} // has what a responder needs as well
	if err := l.prepare(); err != nil {
		t.Fatal(err)
	}
	cfg, env := l.template, l.env
	var err error
	if cfg.LocalID, err = identity.Parse("responder.example"); err != nil {
		t.Fatal(err)
	}
	child := &sa.ChildConfig{ChildFixed: sa.ChildFixed{Name: "net"}}
	if child.Proposals, err = proposal.ParseList(wire.ProtocolESP, []string{"aes128gcm16"}); err != nil {
		t.Fatal(err)
	}
	for text, to := range map[string]*[]selector.Selector{"10.64.0.0/16": &child.RemoteTS, "10.20.0.0/24": &child.LocalTS} {
		s, err := selector.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		*to = []selector.Selector{s}
	}
	cfg.Children = []*sa.ChildConfig{child}
	env.Connections = func(_, _ netip.Addr) []*sa.Config { return []*sa.Config{&cfg} }
	env.Credentials = func(auth.Query) (auth.Credential, bool) { return auth.Credential{Secret: []byte(psk)}, true }
	for _, edit := range edits {
		edit(&cfg, env)
	}

	ike, err := open(loopback)
	if err != nil {
		t.Fatal(err)
	}
	natt, err := open(loopback)
	if err != nil {
		t.Fatal(err)
	}
	r.ike, r.natt = localAddr(ike), localAddr(natt)
	received, done := make(chan datagram, inbox), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { read(ike, 0, received, done) })
	all.Go(func() { read(natt, marker, received, done) })
	all.Go(func() {
		for {
			select {
			case d := <-received:
				r.handle(env, d, ike, natt)
			case <-done:
				return
			}
		}
	})
	t.Cleanup(func() {
		close(done)
		ike.Close()
		natt.Close()
		all.Wait()
	})
	return r
}

func (r *responder) handle(env *sa.Env, d datagram, ike, natt *net.UDPConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := wire.ParseHeader(d.b)
	if err != nil {
		return
	}
	path := sa.Path{Local: d.local, Remote: d.remote}
	m := r.machines[sa.LocalSPIOf(h)]
	if m != nil {
		m.Receive(time.Now(), d.b, path)
	} else if m = sa.Accept(env, time.Now(), d.b, path).Machine; m == nil {
		return
	}
	r.machines[m.LocalSPI()] = m
	for _, o := range outputs(m) {
		switch o := o.(type) {
		case sa.Send:
			conn, b := ike, o.Datagram
			if o.Path.Local == r.natt {
				conn, b = natt, append(make([]byte, marker), b...)
			}
			_, _ = conn.WriteToUDPAddrPort(b, o.Path.Remote) // what is lost is repeated
		case sa.ChildUp:
			r.established++
			r.networks[o.Child.TS.Remote[0].String()]++
		}
	}
}

func options(r *responder, count int) Options {
	return Options{
		Open: open, IKE: loopback, NATT: loopback, RemoteIKE: r.ike, RemoteNATT: r.natt,
		Identity: "initiator.example", PSK: []byte("secret"), IKEProposal: "aes128gcm16-prfsha256-x25519", ESPProposal: "aes128gcm16",
		Network: netip.MustParsePrefix("10.64.0.0/16"), RemoteNetwork: netip.MustParsePrefix("10.20.0.0/24"), Count: count, AtOnce: 4,
	}
}

func TestRun(t *testing.T) {
	r := newResponder(t, "secret")
	const count = 20
	res, err := Run(t.Context(), options(r, count))
	if err != nil {
		t.Fatal(err)
	}
	if res.Established != count || res.Failed != 0 || len(res.Latencies) != count || res.Took <= 0 {
		t.Errorf("%+v", res)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// Each has a network of its own, so that no SA takes the place of another.
	if r.established != count || len(r.networks) != count || r.networks["10.64.0.1/32"] != 1 || r.networks["10.64.0.20/32"] != 1 {
		t.Errorf("the responder has %d, with the networks %v", r.established, r.networks)
	}
}

// users have their names as passwords, but for the third.
type users struct{}

func (users) User(name string) (eap.Secret, aaa.User, bool) {
	if name == "n3.initiator.example" {
		return eap.Password("another"), aaa.User{}, true
	}
	return eap.Password(name), aaa.User{}, true
}

func TestRunUsers(t *testing.T) {
	root := pkitest.CA(t, time.Now(), "Test CA", pkitest.P256)
	r := newResponder(t, "", func(c *sa.Config, e *sa.Env) {
		c.LocalAuth, c.RemoteAuth = policy.AuthPubkey, policy.AuthEAPMSCHAPv2
		own := []credential.Pair{root.End(t, time.Now(), "responder.example", pkitest.P256).Pair()}
		e.Own = func(string, int) []credential.Pair { return own }
		server := auth.EAPServer{Config: &eap.ServerConfig{Methods: []eap.Type{eap.TypeMSCHAPv2}, AskIdentity: true, Users: users{}}}
		e.EAPServer = func(string, int, netip.Addr) (auth.EAPServer, bool) { return server, true }
	})
	o := options(r, 4)
	o.Trust = &pki.Trust{Anchors: []*x509.Certificate{root.Cert}}
	o.User = func(identity string) *eap.ClientConfig {
		return &eap.ClientConfig{Methods: []eap.Type{eap.TypeMSCHAPv2}, Identity: identity, Secret: eap.Password(identity), Protected: true}
	}
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Established != 3 || res.Failed != 1 || !strings.Contains(res.Failure, "n3.initiator.example") {
		t.Errorf("%+v", res)
	}
}

func TestRunReportsFailures(t *testing.T) {
	r := newResponder(t, "another secret")
	res, err := Run(t.Context(), options(r, 3))
	if err != nil {
		t.Fatal(err)
	}
	if res.Established != 0 || res.Failed != 3 || !strings.Contains(res.Failure, "AUTHENTICATION_FAILED") {
		t.Errorf("%+v", res)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	r := newResponder(t, "secret")
	o := options(r, 1)
	silent, err := open(loopback)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	o.RemoteIKE = localAddr(silent) // nobody answers there
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if res, err := Run(ctx, o); !errors.Is(err, ErrIncomplete) || res.Established != 0 {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestRunRefuses(t *testing.T) {
	r := &responder{}
	for name, edit := range map[string]func(o *Options){
		"IKE proposal": func(o *Options) { o.IKEProposal = "rot13" },
		"ESP proposal": func(o *Options) { o.ESPProposal = "rot13" },
		"network":      func(o *Options) { o.Network = netip.MustParsePrefix("10.64.0.0/30"); o.Count = 4 },
	} {
		o := options(r, 1)
		edit(&o)
		if _, err := Run(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
