package gateway

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/wire"
)

// What one identity can have, and all together, is bounded: the next IKE SA is refused, the next CHILD SA as well, and a
// rekeying never. Others, and this side's own connections, go on.
func TestLimitsOfPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		crowd := newCrowd(f)
		gateway := openGateway("unique = \"never\"")
		gateway.remoteID, gateway.children[0].remote = "%any", "172.16.0.0/12"
		b := f.start(addrB, toml("[ike]\ncookie_threshold_ip = 100\nike_sa_limit = 5\nike_sa_limit_id = 3\nchild_sa_limit = 8\nchild_sa_limit_id = 6\n", gateway))
		spi := uint32(0x1000)
		network := func(id string) string { return fmt.Sprintf("172.16.%d.0/24", id[0]) }
		login := func(id string, more ...wire.Payload) (*caller, []wire.NotifyType) {
			x := crowd.caller(t, netip.AddrPortFrom(crowdAddr(0), uint16(spi)), b.addr, crowdIKE)
			if !x.begin() {
				t.Fatal("no answer")
			}
			spi++
			x.send(x.seal(wire.ExchangeIKEAuth, 1, append(append(x.auth(id, testKey), x.child(spi, "aes128gcm16", network(id), "10.2.0.0/16")...), more...)...))
			settle(3 * latency)
			return x, errorsOf(x.notifies())
		}
		id := map[*caller]uint32{}
		more := func(x *caller, ps ...wire.Payload) []wire.NotifyType {
			spi++
			ps = append(append(ps, x.child(spi, "aes128gcm16", network("a.example"), "10.2.0.0/16")...), &wire.Nonce{Data: random(32)})
			id[x]++
			x.send(x.seal(wire.ExchangeCreateChildSA, 1+id[x], ps...))
			settle(3 * latency)
			return errorsOf(x.notifies())
		}
		want := func(what string, got []wire.NotifyType, want ...wire.NotifyType) {
			t.Helper()
			if len(got) != len(want) || len(want) > 0 && got[0] != want[0] {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		first, got := login("a.example")
		want("the first", got)
		for range 2 {
			_, got = login("a.example")
			want("up to the limit", got)
		}
		_, got = login("a.example")
		want("one too many of one identity", got, wire.NotifyAuthenticationFailed)
		_, got = login("a.example", &wire.Notify{NotifyType: wire.NotifyInitialContact})
		want("one too many that claims to be the first", got, wire.NotifyAuthenticationFailed)
		for range 3 {
			want("up to the limit of children", more(first))
		}
		want("one child too many of one identity", more(first), wire.NotifyNoAdditionalSAs)
		rekeyed := spi - 1 // the last one that was made
		want("a rekeying at the limit", more(first, &wire.Notify{Protocol: wire.ProtocolESP, NotifyType: wire.NotifyRekeySA,
			SPI: binary.BigEndian.AppendUint32(nil, rekeyed)}))
		_, got = login("c.example")
		want("another identity", got)
		_, got = login("d.example")
		want("another, without room for a child", got, wire.NotifyNoAdditionalSAs)
		_, got = login("e.example")
		want("one too many in all", got, wire.NotifyAuthenticationFailed)
		if n := strings.Count(b.log.String(), "code=E-LIMIT"); n < 3 {
			t.Errorf("%d lines about limits", n)
		}
		// What is deleted makes room.
		id[first]++
		first.send(first.seal(wire.ExchangeInformational, 1+id[first], &wire.Delete{Protocol: wire.ProtocolIKE}))
		settle(time.Minute)
		_, got = login("a.example")
		want("in the place of the deleted one", got)
		b.stop()
		b.plane.empty(t)
	})
}

func errorsOf(ns []wire.NotifyType) (out []wire.NotifyType) {
	for _, n := range ns {
		if n.IsError() {
			out = append(out, n)
		}
	}
	return out
}
