//go:build linux

package integration

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// article is the file that articles about strongSwan put into conf.d, with the names of a lab: a site-to-site tunnel by certificates.
const article = `connections {
  site-to-site {
    version = 2
    local_addrs = %[1]s
    remote_addrs = %[2]s
    proposals = aes256gcm16-prfsha384-modp3072
    local {
      auth = pubkey
      certs = %[3]s.pem
      id = "CN=%[3]s.example"
    }
    remote {
      auth = pubkey
      id = "CN=%[4]s.example"
    }
    children {
      net {
        local_ts = %[5]s
        remote_ts = %[6]s
        esp_proposals = aes256gcm16-modp3072
        start_action = trap
        %[7]s
      }
    }
    %[8]s
  }
}
`

// articleOf is the article as one of the sites has it, with more keys for the child and the connection.
func articleOf(me, other *lab.Site, child, connection string) string {
	return fmt.Sprintf(article, me.Outer4, other.Outer4, me.Name, other.Name, me.Net4, other.Net4, child, connection)
}

// articleFiles are the certificates of both sites.
func articleFiles(t *testing.T, sites ...*lab.Site) map[*lab.Site][]peer.File {
	t.Helper()
	root := newCA(t, "Test Root", nil)
	out := map[*lab.Site][]peer.File{}
	for _, s := range sites {
		l := root.issue(s.Name+".example", "p256", func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: s.Name + ".example"} })
		out[s] = append(l.files(t, s.Name), root.file("root"))
	}
	return out
}

// TestSwitchOver: a host with strongSwan and a folder of swanctl goes over to Esplanade, and back. The other end is a strongSwan of its own, which
// is told of nothing and starts the tunnel again when it is closed.
func TestSwitchOver(t *testing.T) {
	t.Parallel()
	lab.NeedRoot(t, peer.Programs(peer.KindStrongSwan, peer.KindEsplanade)...)
	l := lab.New(t, lab.Options{})
	files := articleFiles(t, l.A, l.B)
	const includes = "include conf.d/*.conf\n"
	stock := map[string]string{"retransmit_timeout": "4.0", "retransmit_base": "1.8", "retransmit_tries": "5"}
	// kernel-libipsec of the lab knows nothing but UDP encapsulation; one side that asks for it is enough.
	b := peer.New(t, peer.KindStrongSwan, l.B, peer.Gateway{Swanctl: includes, Files: files[l.B], IKE: stock}).(*peer.StrongSwan)
	b.WriteFolder(t, "conf.d/net.conf", articleOf(l.B, l.A, "close_action = start\n        dpd_action = start", "encap = yes\n    dpd_delay = 10s\n    keyingtries = 0"))
	strong := peer.New(t, peer.KindStrongSwan, l.A, peer.Gateway{Swanctl: includes, Files: files[l.A], IKE: stock}).(*peer.StrongSwan)
	strong.WriteFolder(t, "conf.d/net.conf", articleOf(l.A, l.B, "", ""))
	ours := peer.OnFolder(t, strong)

	b.Start(t)
	strong.Start(t)
	if _, err := peer.Initiate(b, "net"); err != nil {
		t.Fatal(err)
	}
	far, near := lab.Endpoint{Host: l.B.Host, Addr: l.B.Inner4}, lab.Endpoint{Host: l.A.Host, Addr: l.A.Inner4}
	steady, err := lab.StartSteady(far, near)
	if err != nil {
		t.Fatal(err)
	}
	defer steady.Close()
	flows := func(since time.Time) {
		t.Helper()
		lab.Eventually(t, 40*time.Second, "traffic flows", func() (bool, string) {
			return steady.Answered(since), peer.DescribeSAs(b)
		})
	}
	flows(time.Now())
	for _, way := range []struct {
		name  string
		leave peer.Peer
		come  peer.Peer
	}{{"to Esplanade", strong, ours}, {"back", ours, strong}} {
		begin := time.Now()
		way.leave.Stop(t)
		stopped := time.Now()
		way.come.Start(t)
		started := time.Now()
		flows(started)
		gap := steady.Gap(begin)
		t.Logf("%s: without traffic for %v (stopped after %v, started after %v)", way.name, gap.Round(time.Millisecond), stopped.Sub(begin).Round(time.Millisecond), started.Sub(begin).Round(time.Millisecond))
	}
}

