package gateway

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/peertest"
	"esplanade/ike/wire"
)

// ownName is a gateway that is called by a name, as clients ask for it, and takes whoever has the key.
const ownName = "local = {id = \"vpn.example\"}\n"

// TestKnownClients: what each client offers by default is taken with the defaults here, whatever it calls itself and whether or not it asks for
// the gateway by name. Each renews its CHILD SA in its way: with a key exchange, or without.
func TestKnownClients(t *testing.T) {
	for _, x := range []struct{ name, ike, esp, renewed string }{
		{peertest.WindowsFixed, "aes256gcm16-prfsha384-ecp384", "aes256gcm16", "aes256gcm16-ecp384"},
		{peertest.IOS, "aes256-sha256-modp2048", "aes256-sha256", "aes256-sha256-modp2048"},
		{peertest.MacOS, "aes256-sha256-modp2048", "aes256-sha256", "aes256-sha256"},
		{peertest.Apple, "aes256gcm16-prfsha256-ecp256", "aes256gcm16", "aes256gcm16-ecp256"},
		{peertest.Android11, "aes256gcm16-prfsha256-modp4096", "aes256gcm16", "aes256gcm16"},
		{peertest.Android, "aes256gcm16-prfsha256-modp4096", "aes256gcm16", "aes256gcm16"},
		{peertest.AndroidApp, "aes256gcm16-prfsha256-x25519", "aes256gcm16", "aes256gcm16-x25519"},
		{peertest.NetManager, "aes256gcm16-prfsha256-x25519", "aes256gcm16", "aes256gcm16"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := meet(t, x.name, "none", ownName)
				if n := p.calls(); n != 0 {
					t.Fatalf("it is refused with %s\n%s", n, p.n.log)
				}
				p.up()
				got := [2]string{p.ike, p.esp}
				p.rekeys()
				p.up()
				p.quiet()
				if got != [2]string{x.ike, x.esp} || p.esp != x.renewed {
					t.Errorf("%v, then %s; want %s, %s, %s", got, p.esp, x.ike, x.esp, x.renewed)
				}
				if f := p.n.last("known"); f != nil {
					t.Errorf("a failure: %v", f)
				}
			})
		})
	}
}

// TestWindowsDefaults: Windows is refused with what it offers by default, for the IKE SA or, with the value of the registry that enables
// MODP_2048, for the CHILD SA. The failure has the command that makes it offer what the connection takes, and nothing of that is told to it.
func TestWindowsDefaults(t *testing.T) {
	const command = "Set-VpnConnectionIPsecConfiguration -ConnectionName NAME -DHGroup ECP384 -EncryptionMethod GCMAES256 -IntegrityCheckMethod SHA384 " +
		"-CipherTransformConstants GCMAES256 -AuthenticationTransformConstants GCMAES256 -PfsGroup ECP384 -Force"
	synctest.Test(t, func(t *testing.T) {
		p := meet(t, peertest.Windows, "none", "")
		if n := p.calls(); n != wire.NotifyNoProposalChosen {
			t.Fatalf("the answer is %s", n)
		}
		settle(time.Second)
		wantTold(t, p.n, diag.CodeProposalIKE, []string{"18 proposals", "looks like Windows defaults", command})
		if p.n.ikeSAs() != 0 {
			t.Errorf("%d IKE SAs", p.n.ikeSAs())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p := meet(t, peertest.WindowsDH, "none", "")
		if n := p.calls(); n != 0 {
			t.Fatalf("the IKE SA is refused with %s", n)
		}
		settle(time.Second)
		if p.ike != "aes256-sha256-modp2048" || peertest.Notify(p.got, wire.NotifyNoProposalChosen) == nil {
			t.Errorf("%s is chosen, and the answer is %s", p.ike, wire.Summary(p.h, p.got))
		}
		wantTold(t, p.n, diag.CodeProposalChild, []string{"aes256-sha1", ", from a Windows client", command})
	})
}

// renewsIKE has the product renew its IKE SA, as the proposal of that number, and go on with the successor. Its offer is what was chosen before.
func (p *product) renewsIKE(number uint8) {
	p.t.Helper()
	offer := peertest.Offer(wire.ProtocolIKE, binary.BigEndian.AppendUint64(nil, 0xb0b1), true, p.ike)
	offer[0].Number = number
	ke := peertest.KE(peertest.GroupOf(offer[0]))
	nonce := []byte("another nonce of 32 bytes ......")
	p.ask("an answer to the rekeying of the IKE SA", wire.ExchangeCreateChildSA, &wire.SA{Proposals: offer}, &wire.Nonce{Data: nonce}, &wire.KE{Group: peertest.GroupOf(offer[0]), Data: ke.Public()})
	answer, theirs, no := peertest.Find[*wire.SA](p.got), peertest.Find[*wire.KE](p.got), peertest.Find[*wire.Nonce](p.got)
	if answer == nil || theirs == nil || no == nil || answer.Proposals[0].Number != number {
		p.t.Fatalf("%s: the rekeying is refused: %s\n%s", p.known.Name, wire.Summary(p.h, p.got), p.n.log)
	}
	shared, err := ke.Shared(theirs.Data)
	if err != nil {
		p.t.Fatal(err)
	}
	next, err := p.Peer.SA.Rekeyed(0xb0b1, wire.SPI(binary.BigEndian.Uint64(answer.Proposals[0].SPI)), answer, nonce, no.Data, shared)
	if err != nil {
		p.t.Fatal(err)
	}
	p.ask("an answer to the Delete of the IKE SA", wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolIKE})
	p.Peer = p.Successor(next, 0xb0b1, true)
}

// TestAppleNumbersItsProposal: macOS 14 renews an IKE SA with the one proposal that was chosen, under the number that it had. "[T]he first
// proposal in an SA payload MUST be 1" (RFC 7296 section 3.3.1); a gateway that insists on that loses the client after 24 or 48 minutes.
// https://github.com/libreswan/libreswan/issues/1450
func TestAppleNumbersItsProposal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := meet(t, peertest.Apple, "none", ownName)
		if n := p.calls(); n != 0 {
			t.Fatalf("it is refused with %s", n)
		}
		p.renewsIKE(3)
		settle(time.Second)
		p.up()
		p.rekeys()
		p.up()
		if f := p.n.last("known"); f != nil {
			t.Errorf("a failure: %v", f)
		}
	})
}

// TestWindowsRenewsItself: Windows behind NAT refuses to have its CHILD SA renewed, with a notification of its own, and renews it itself. Until then, and
// after, the CHILD SA is there.
func TestWindowsRenewsItself(t *testing.T) {
	const invalidSituation = wire.NotifyType(12345) // with ERROR_IPSEC_IKE_INVALID_SITUATION in it
	synctest.Test(t, func(t *testing.T) {
		p := meetWith(t, peertest.KnownAs(peertest.WindowsFixed), "[connections.known]\nlocal_addrs = \""+addrA+"\"\nsecret = \""+testKey+"\"\n"+ownName+
			"[connections.known.children.known]\nlocal_ts = \"10.1.0.0/16\"\nremote_ts = \"10.2.0.0/16\"\nrekey_time = \"50m\"\nlife_time = \"1h\"\n")
		if n := p.calls(); n != 0 {
			t.Fatalf("it is refused with %s", n)
		}
		p.up()
		refused := 0
		for end := time.Now().Add(58*time.Minute + 46*time.Second); time.Now().Before(end); {
			settle(time.Second)
			p.mu.Lock()
			waiting := len(p.inbox)
			p.mu.Unlock()
			if waiting == 0 {
				continue
			}
			p.open("a request of the daemon")
			var answer []wire.Payload
			if p.h.Exchange == wire.ExchangeCreateChildSA {
				refused++
				answer = []wire.Payload{&wire.Notify{NotifyType: invalidSituation, Data: []byte{0, 0, 0x35, 0xe9}}}
			}
			p.send(p.Answer(p.h, answer...))
		}
		p.up()
		p.rekeys()
		p.up()
		t.Logf("%d attempts", refused)
		if refused == 0 || refused > 20 {
			t.Errorf("the daemon has tried to renew the CHILD SA %d times", refused)
		}
	})
}
