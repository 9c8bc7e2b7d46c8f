package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/pki/acme"
)

// TestACMEText: status says what is not as it should be, and nothing else.
func TestACMEText(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	a := &config.ACME{Domains: []string{"vpn.example.org"}}
	for _, tt := range []struct {
		state acme.State
		want  []string // nothing: nothing is said
	}{
		{acme.State{NotAfter: now.Add(time.Hour)}, nil},
		{acme.State{}, []string{"there is none yet; the ACME server is being asked"}},
		{acme.State{Error: "no. Fix: do.", ErrorAt: now, Next: now.Add(time.Minute)}, []string{"there is none yet. 2026-11-29 12:00:00 UTC: no. Fix: do. Next attempt 2026-11-29 12:01:00 UTC"}},
		{acme.State{Error: "no", ErrorAt: now, NotAfter: now.Add(time.Hour)}, []string{"the one there is ends 2026-11-29 13:00:00 UTC"}},
		{acme.State{Error: "no", ErrorAt: now, NotAfter: now.Add(-time.Hour)}, []string{"the one there is has ended 2026-11-29 11:00:00 UTC"}},
	} {
		got := acmeText(tt.state, a, now)
		if (got == "") != (tt.want == nil) {
			t.Errorf("%+v: %q", tt.state, got)
		}
		for _, want := range tt.want {
			if !strings.Contains(got, want) || !strings.Contains(got, "the ACME certificate for vpn.example.org") {
				t.Errorf("%+v: %q, want %q", tt.state, got, want)
			}
		}
	}
}

// TestACMEFile: the file that ACME writes is the one that the configuration reads.
func TestACMEFile(t *testing.T) {
	for _, name := range []string{"vpn.example.org", "2001:db8::1", "192.0.2.1"} {
		a := config.ACME{Domains: []string{name}, Folder: "/var/lib/x"}
		if a.File() != acme.CertFile(a.Folder, a.Domains) {
			t.Error(a.File(), acme.CertFile(a.Folder, a.Domains))
		}
	}
}

// TestACMEOfAGateway: a gateway whose ACME server refuses runs, and status and metrics say why it has no certificate.
func TestACMEOfAGateway(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	l := newLab(t)
	s := rightSide()
	s.top = "[credentials.acme]\ndomains = \"vpn.example.org\"\nagree_to_terms = true\nlisten = \"127.0.0.1:1\"\nfolder = \"" + filepath.Join(l.dir, "acme") + "\"\ndirectory = \"" + server.URL + "\"\n"
	n := l.start(s)
	deadline := time.Now().Add(patience)
	for {
		text := ""
		for _, w := range gatewayStatus(t, n).HostWarnings {
			text += w.Text + "\n"
		}
		if strings.Contains(text, "there is none yet. ") && strings.Contains(text, "Fix: see whether the ACME server is reached from this host, and whether its CA") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("status has %q\n%s", text, n.log)
		}
		time.Sleep(time.Millisecond) // looks again
	}
	if text := n.log.String(); !strings.Contains(text, "no certificate from the ACME server") {
		t.Error(text)
	}
	got := scrape(t, n)
	if failures, issued := got["ipsec_acme_consecutive_failures"], got["ipsec_acme_certificates_total"]; failures == nil || failures.Metric[0].GetGauge().GetValue() != 1 ||
		issued == nil || issued.Metric[0].GetCounter().GetValue() != 0 || got["ipsec_acme_certificate_not_after_timestamp_seconds"] != nil {
		t.Error(failures, issued)
	}
}
