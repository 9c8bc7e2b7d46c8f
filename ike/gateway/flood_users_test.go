package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/peertest"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// TestFloodOfUsers: strangers who begin EAP, have the gateway sign for them, and do not go on are no more half-open IKE SAs than their source may have. A user from elsewhere comes in meanwhile;
// and all of what they have begun is gone when their time for an answer is over, whether or not they have given a name.
func TestFloodOfUsers(t *testing.T) {
	text := roadWarriors(t)
	ca := text[strings.Index(text, "certs = \"")+len("certs = \""):]
	ca = ca[:strings.Index(ca, "\"")]
	synctest.Test(t, func(t *testing.T) {
		p := meetWith(t, peertest.KnownAs(peertest.MacOS), "[ike]\nblock_threshold = 10\nhalf_open_limit = 12\ncookie_threshold = 1000\ncookie_threshold_ip = 1000\n"+text)
		again := *p.Peer
		l := &login{name: "mallory"}
		for i := range 10 {
			fresh := again
			p.Peer = &fresh
			again.SPI++
			if n := p.begins(); n != 0 {
				t.Fatalf("stranger %d is refused with %s", i, n)
			}
			id := *p.Identity
			first := append(append([]wire.Payload{&id}, p.asked()...), p.known.Auth...)
			p.says(l, "an answer with EAP", slices.Concat(first, []wire.Payload{p.child(false)}, allTraffic())...)
			if i%2 == 0 {
				e := peertest.Find[*wire.EAP](p.got)
				name := append([]byte{1}, "mallory"...)
				p.says(l, "a challenge", &wire.EAP{Code: wire.EAPResponse, Identifier: e.Identifier, Data: name})
			}
		}
		for range 20 { // more of them are not even answered
			fresh := again
			p.Peer = &fresh
			again.SPI++
			p.Initiator, p.Offers = true, peertest.Offer(wire.ProtocolIKE, nil, true, p.known.IKE...)
			p.Group = peertest.GroupOf(p.Offers[0])
			p.send(p.Init(append(slices.Clone(p.known.Init), p.natd(p.SPI, 0)...)...))
		}
		p.quiet()
		if n, dropped := p.n.info().HalfOpen, p.n.d.Stats().Ignored[sa.IgnoreSource]; n != 10 || dropped != 20 {
			t.Errorf("%d half-open IKE SAs, %d requests beyond", n, dropped)
		}
		c := p.f.start("192.0.2.77", fmt.Sprintf("[secrets.eap.me]\nid = \"alice\"\nsecret = \"alices password\"\n[connections.gw]\nlocal_addrs = \"192.0.2.77\"\nremote_addrs = %q\n"+
			"local_ts = \"dynamic\"\nremote_ts = \"10.1.0.0/16\"\nstart_action = \"start\"\nlocal = { auth = \"eap-mschapv2\", eap_id = \"alice\" }\nremote = { auth = \"pubkey\", id = \"vpn.example\", certs = %q }\n", addrA, ca))
		settle(10 * time.Second)
		if f := c.last("gw"); f != nil || p.n.ikeSAs() == 0 {
			t.Errorf("a user from elsewhere does not come in: %v\n%s", f, p.n.log)
		}
		settle(2 * time.Minute)
		if n := p.n.info().HalfOpen; n != 0 {
			t.Errorf("two minutes later there are %d half-open IKE SAs", n)
		}
		if p.n.ikeSAs() != 1 {
			t.Errorf("%d IKE SAs", p.n.ikeSAs())
		}
	})
}
