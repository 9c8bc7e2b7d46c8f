package vici

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestSAFieldOrder fills every field and compares with the order of strongSwan's documentation.
func TestSAFieldOrder(t *testing.T) {
	sa := testSA()
	sa.RemoteEAPID = "carol"
	sa.NATLocal, sa.PPK = true, true
	sa.Algorithms = Algorithms{
		Encr: "AES_CTR", EncrKeySize: 256, Integ: "HMAC_SHA2_256_128", IntegKeySize: 256, PRF: "PRF_HMAC_SHA2_256",
		KE: "CURVE_25519", AdditionalKE: [7]string{"ML_KEM_768", "", "ML_KEM_1024"},
	}
	sa.ReauthAt = testNow.Add(-2 * time.Second) // overdue
	sa.LocalVIPs = []netip.Addr{netip.MustParseAddr("10.3.0.1"), netip.MustParseAddr("fd00::1")}
	sa.RemoteVIPs = []netip.Addr{netip.MustParseAddr("::ffff:10.3.0.2")}
	sa.TasksQueued, sa.TasksPassive = []string{"IKE_REKEY", "IKE_DPD"}, []string{"CHILD_CREATE"}
	c := &sa.Children[0]
	c.Algorithms = sa.Algorithms
	got := sa.message(sa.Children, testNow).String()
	const algs = `encr-alg=AES_CTR encr-keysize=256 integ-alg=HMAC_SHA2_256_128 integ-keysize=256 prf-alg=PRF_HMAC_SHA2_256 ` +
		`dh-group=CURVE_25519 ake1=ML_KEM_768 ake3=ML_KEM_1024`
	want := `office {uniqueid=7 version=2 state=ESTABLISHED local-host=192.0.2.1 local-port=4500 local-id=site-a.example ` +
		`remote-host=198.51.100.20 remote-port=4500 remote-id=site-b.example remote-eap-id=carol initiator=yes ` +
		`initiator-spi=0123456789abcdef responder-spi=000000000000fedc nat-local=yes nat-remote=yes nat-fake=yes nat-any=yes ` +
		algs + ` ppk=yes established=90 rekey-time=14400 reauth-time=-2 local-vips=[10.3.0.1 fd00::1] remote-vips=[10.3.0.2] ` +
		`tasks-queued=[IKE_REKEY IKE_DPD] tasks-active=[CHILD_REKEY] tasks-passive=[CHILD_CREATE] child-sas {net-9 {name=net uniqueid=9 ` +
		`reqid=1 state=INSTALLED mode=TUNNEL protocol=ESP encap=yes spi-in=00c0ffee spi-out=deadbeef ` + algs + ` esn=1 ` +
		`bytes-in=1234567 packets-in=890 use-in=1 bytes-out=84 packets-out=1 use-out=61 rekey-time=3000 life-time=3600 ` +
		`install-time=88 local-ts=[10.10.0.0/24 10.11.0.0/24[tcp/80]] remote-ts=[10.20.0.0/24]}}}`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// TestSALeavesOut: what is not there must not appear: swanctl prints esn, encap and the times when the key exists at all.
func TestSALeavesOut(t *testing.T) {
	sa := &IKESA{Name: "x", Version: 2, State: IKECreated, Established: testNow}
	c := ChildSA{Name: "c", State: ChildInstalled, Mode: "TUNNEL", Protocol: "ESP"}
	got := sa.message([]ChildSA{c}, testNow).String()
	want := `x {uniqueid=0 version=2 state=CREATED local-host=%any local-port=0 local-id= remote-host=%any remote-port=0 remote-id= ` +
		`initiator-spi=0000000000000000 responder-spi=0000000000000000 child-sas {c-0 {name=c uniqueid=0 reqid=0 state=INSTALLED ` +
		`mode=TUNNEL protocol=ESP spi-in=00000000 spi-out=00000000 bytes-in=0 packets-in=0 bytes-out=0 packets-out=0 ` +
		`local-ts=[] remote-ts=[]}}}`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	for state, installed := range map[string]bool{
		ChildCreated: false, ChildRouted: false, ChildInstalling: false, ChildRetrying: false,
		ChildInstalled: true, ChildUpdating: true, ChildRekeying: true, ChildRekeyed: true, ChildDeleting: true, ChildDeleted: true,
	} {
		c.State = state
		m := new(Message)
		c.fill(m, testNow)
		if _, ok := m.Lookup("spi-in"); ok != installed {
			t.Errorf("%s: with SPIs %v", state, ok)
		}
		if m.List("local-ts") != nil || !strings.HasSuffix(m.String(), "local-ts=[] remote-ts=[]") {
			t.Errorf("%s: %s", state, m)
		}
	}
	for state, shown := range map[string]bool{IKEConnecting: false, IKEEstablished: true, IKERekeying: false, IKERekeyed: false, IKEDeleting: false} {
		m := new(Message)
		(&IKESA{State: state, Established: testNow, RekeyAt: testNow}).fill(m, testNow)
		if _, ok := m.Lookup("established"); ok != shown {
			t.Errorf("%s: established %v", state, ok)
		}
	}
}

func TestConnMessage(t *testing.T) {
	c := Conn{
		Name: "rw", Version: "IKEv2", ReauthTime: time.Minute, Unique: "replace", DPDTimeout: time.Second, PPKID: "p", PPKRequired: true,
		LocalAuth: []Auth{{Class: "public key", ID: "gw", Certs: []string{"CN=gw"}}},
		RemoteAuth: []Auth{
			{Class: "EAP", EAPType: "EAP_MSCHAPV2", EAPID: "%any", AAAID: "aaa", Groups: []string{"staff"}},
			{Revocation: "SKIPPED", CACerts: []string{"CN=CA"}, CertPolicies: []string{"1.2.3"}},
		},
	}
	want := `rw {local_addrs=[%any] remote_addrs=[%any] local_port=0 remote_port=0 version=IKEv2 reauth_time=60 rekey_time=0 ` +
		`unique=UNIQUE_REPLACE dpd_timeout=1 ppk_id=p ppk_required=yes ` +
		`local-1 {id=gw class=public key groups=[] cert_policy=[] certs=[CN=gw] cacerts=[]} ` +
		`remote-1 {eap_id=%any aaa_id=aaa eap-type=EAP_MSCHAPV2 class=EAP groups=[staff] cert_policy=[] certs=[] cacerts=[]} ` +
		`remote-2 {class=any revocation=SKIPPED groups=[] cert_policy=[1.2.3] certs=[] cacerts=[CN=CA]} children {}}`
	if got := c.message().String(); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	child := ConnChild{Name: "c", Mode: "TUNNEL"}
	m := new(Message)
	child.fill(m)
	if got := m.String(); got != "mode=TUNNEL rekey_time=0 rekey_bytes=0 rekey_packets=0 dpd_action=none close_action=none local-ts=[] remote-ts=[]" {
		t.Errorf("child %s", got)
	}
	for in, want := range map[string]string{"never": "UNIQUE_NEVER", "no": "UNIQUE_NO", "keep": "UNIQUE_KEEP", "": ""} {
		if got := uniqueName(in); got != want {
			t.Errorf("uniqueName(%q) = %q", in, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for in, want := range map[time.Duration]string{
		-time.Second: "0 seconds", 0: "0 seconds", time.Second: "1 second", 2 * time.Minute: "120 seconds",
		121 * time.Second: "2 minutes", 2*time.Hour + 1: "2 hours", 47 * time.Hour: "47 hours", 72 * time.Hour: "3 days",
	} {
		if got := duration(in); got != want {
			t.Errorf("duration(%s) = %q, want %q", in, got, want)
		}
	}
}
