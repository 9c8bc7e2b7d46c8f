//go:build linux

package integration

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"regexp"
	"strings"
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

// soon is well below the four seconds after which strongSwan repeats its first request. What has started by then answers that.
const soon = 2 * time.Second

// secondRepetition is what strongSwan logs eleven seconds after a request that nobody has answered.
const secondRepetition = "retransmit 2 of request"

// TestSwitchOver: the sample of articles is loaded into an Esplanade that has nothing else, with Debian's swanctl; its host goes over to strongSwan, with the same
// folder to an Esplanade that runs it, and back to strongSwan. The other end is a strongSwan with its own copy of the mirrored file, which is told of
// nothing: it begins a new tunnel when the old one is closed, and has one with the first repetition of its request, four seconds later, or before, where
// this side has packets to send. So neither end is without traffic for five seconds, on a machine that is not busy with something else.
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
	empty := peer.New(t, peer.KindEsplanade, l.A, peer.Gateway{}).(*peer.Esplanade)
	ours := peer.OnFolder(t, strong)

	b.Start(t)
	empty.Start(t)
	article := func(want string, args ...string) {
		t.Helper()
		out, err := peer.Swanctl(empty, args...)
		if err != nil || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("swanctl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	if out, err := peer.LoadAll(empty, strong.Folder()); err != nil || !strings.Contains(out, "loaded connection 'site-to-site'") {
		t.Errorf("swanctl --load-all: %v\n%s", err, out)
	}
	article(`(?s)site-to-site: IKEv2, no reauthentication.*local public key authentication:.*id: CN=a\.example.*net: TUNNEL, rekeying every 3600s`, "--list-conns")
	article("initiate completed successfully", "--initiate", "--child", "net")
	article(`(?s)site-to-site: #\d+, ESTABLISHED, IKEv2.*AES_GCM_16-256/PRF_HMAC_SHA2_384/MODP_3072.*net: #\d+, reqid \d+, INSTALLED, TUNNEL-in-UDP`, "--list-sas")

	ends := [2]lab.Endpoint{{Host: l.A.Host, Addr: l.A.Inner4}, {Host: l.B.Host, Addr: l.B.Inner4}}
	var flows [2]*lab.Steady
	for i := range flows {
		var err error
		if flows[i], err = lab.StartSteady(ends[i], ends[1-i]); err != nil {
			t.Fatal(err)
		}
		defer flows[i].Close()
	}
	flow := func(since time.Time) {
		t.Helper()
		lab.Eventually(t, 40*time.Second, "traffic flows", func() (bool, string) {
			return flows[0].Answered(since) && flows[1].Answered(since), peer.DescribeSAs(b)
		})
	}
	flow(time.Now())
	for _, way := range []struct {
		name        string
		leave, come peer.Peer
	}{{"from what swanctl has loaded to strongSwan", empty, strong}, {"from strongSwan to Esplanade", strong, ours}, {"back to strongSwan", ours, strong}} {
		begin, repeated := time.Now(), strings.Count(b.Log(), secondRepetition)
		way.leave.Stop(t)
		way.come.Start(t)
		started := time.Now()
		flow(started)
		took, forth, back := started.Sub(begin), flows[0].Gap(begin), flows[1].Gap(begin)
		t.Logf("%s: stopped and started in %v, without traffic for %v and %v", way.name, took, forth, back)
		if took < soon && strings.Count(b.Log(), secondRepetition) > repeated {
			t.Errorf("%s: the other end has called twice in vain:\n%s", way.name, b.Log())
		}
	}
}
