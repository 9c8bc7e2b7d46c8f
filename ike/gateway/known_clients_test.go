package gateway

import (
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
