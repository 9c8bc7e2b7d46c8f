package vici

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// swanctlTime bounds one run of swanctl.
const swanctlTime = 30 * time.Second

// needSwanctl skips, saying how to get what is missing.
func needSwanctl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("swanctl"); err != nil {
		t.Skip("NOT TESTED: the stock swanctl is missing; on Debian: apt-get install strongswan-swanctl")
	}
}

// swanctl runs the stock swanctl against the socket and returns its output and exit code.
func swanctl(t *testing.T, socket string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), swanctlTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "swanctl", append(args, "--uri", "unix://"+socket)...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("swanctl %v: %v", args, err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// TestSwanctl pins what the stock swanctl of Debian prints for what we send.
func TestSwanctl(t *testing.T) {
	needSwanctl(t)
	b := newFake()
	_, socket := startServer(t, b, Options{})
	for _, c := range []struct {
		args string
		want string
		call string // what the backend was asked
	}{
		{"--version --daemon", "strongSwan 1.2.3 esplanade (Linux, 6.1, x86_64)\n", ""},
		{"--version --daemon --raw", "version reply {daemon=esplanade version=1.2.3 sysname=Linux release=6.1 machine=x86_64}\n", ""},
		{"--stats", `uptime: 5 hours, since May 04 05:02:03 2026
worker threads: 4 total, 3 idle, working: 0/0/1/0
job queues: 0/0/2/0
jobs scheduled: 11
IKE_SAs: 2 total, 1 half-open
mallinfo: sbrk 8192, mmap 1024, used 4096, free 4096
loaded plugins: tun udp-gro
`, ""},
		{"--stats --raw", `stats reply {uptime {running=5 hours since=May 04 05:02:03 2026} workers {total=4 idle=3 ` +
			`active {critical=0 high=0 medium=1 low=0}} queues {critical=0 high=0 medium=2 low=0} scheduled=11 ` +
			`ikesas {total=2 half-open=1} plugins=[tun udp-gro] mallinfo {sbrk=8192 mmap=1024 used=4096 free=4096}}
`, ""},
		{"--list-sas", `office: #7, ESTABLISHED, IKEv2, 0123456789abcdef_i* 000000000000fedc_r
  local  'site-a.example' @ 192.0.2.1[4500]
  remote 'site-b.example' @ 198.51.100.20[4500]
  AES_GCM_16-256/PRF_HMAC_SHA2_384/ECP_384
  established 90s ago, rekeying in 14400s
  active:  CHILD_REKEY
  net: #9, reqid 1, INSTALLED, TUNNEL-in-UDP, ESP:AES_GCM_16-256/ECP_384/ESN
    installed 88s ago, rekeying in 3000s, expires in 3600s
    in  00c0ffee, 1234567 bytes,   890 packets,     1s ago
    out deadbeef,     84 bytes,     1 packets,    61s ago
    local  10.10.0.0/24 10.11.0.0/24[tcp/80]
    remote 10.20.0.0/24
lab: #8, CONNECTING, IKEv2, 0000000000000000_i 0000000000000001_r*
  local  '%any' @ 2001:db8::1[500]
  remote '%any' @ 2001:db8::2[500]
  AES_CBC-128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/CURVE_25519
`, "list-sas {IKE: IKEID:0 Child: ChildID:0}"},
		{"--list-sas --raw", `list-sa event {office {uniqueid=7 version=2 state=ESTABLISHED local-host=192.0.2.1 local-port=4500 ` +
			`local-id=site-a.example remote-host=198.51.100.20 remote-port=4500 remote-id=site-b.example initiator=yes ` +
			`initiator-spi=0123456789abcdef responder-spi=000000000000fedc nat-remote=yes nat-fake=yes nat-any=yes ` +
			`encr-alg=AES_GCM_16 encr-keysize=256 prf-alg=PRF_HMAC_SHA2_384 dh-group=ECP_384 established=90 rekey-time=14400 ` +
			`tasks-active=[CHILD_REKEY] child-sas {net-9 {name=net uniqueid=9 reqid=1 state=INSTALLED mode=TUNNEL protocol=ESP ` +
			`encap=yes spi-in=00c0ffee spi-out=deadbeef encr-alg=AES_GCM_16 encr-keysize=256 dh-group=ECP_384 esn=1 ` +
			`bytes-in=1234567 packets-in=890 use-in=1 bytes-out=84 packets-out=1 use-out=61 rekey-time=3000 life-time=3600 ` +
			`install-time=88 local-ts=[10.10.0.0/24 10.11.0.0/24[tcp/80]] remote-ts=[10.20.0.0/24]}}}}
list-sa event {lab {uniqueid=8 version=2 state=CONNECTING local-host=2001:db8::1 local-port=500 local-id=%any ` +
			`remote-host=2001:db8::2 remote-port=500 remote-id=%any initiator-spi=0000000000000000 ` +
			`responder-spi=0000000000000001 encr-alg=AES_CBC encr-keysize=128 integ-alg=HMAC_SHA2_256_128 ` +
			`prf-alg=PRF_HMAC_SHA2_256 dh-group=CURVE_25519 child-sas {}}}
list-sas reply {}
`, "list-sas {IKE: IKEID:0 Child: ChildID:0}"},
		{"--list-sas --ike none --ike-id 3 --child net --child-id 4294967 --raw", "list-sas reply {}\n",
			"list-sas {IKE:none IKEID:3 Child:net ChildID:4294967}"},
		{"--list-conns", `office: IKEv2, no reauthentication, rekeying every 14400s, dpd delay 30s
  local:  192.0.2.1
  remote: 198.51.100.20
  local pre-shared key authentication:
    id: site-a.example
  remote pre-shared key authentication:
    id: site-b.example
  net: TUNNEL, rekeying every 3600s or 500000000 bytes, dpd action is start
    local:  10.10.0.0/24
    remote: 10.20.0.0/24
`, `list-conns ""`},
		{"--list-conns --raw", `list-conn event {office {local_addrs=[192.0.2.1] remote_addrs=[198.51.100.20] local_port=500 ` +
			`remote_port=500 version=IKEv2 reauth_time=0 rekey_time=14400 unique=UNIQUE_NO dpd_delay=30 ` +
			`local-1 {id=site-a.example class=pre-shared key groups=[] cert_policy=[] certs=[] cacerts=[]} ` +
			`remote-1 {id=site-b.example class=pre-shared key groups=[] cert_policy=[] certs=[] cacerts=[]} ` +
			`children {net {mode=TUNNEL rekey_time=3600 rekey_bytes=500000000 rekey_packets=0 dpd_action=start ` +
			`close_action=start local-ts=[10.10.0.0/24] remote-ts=[10.20.0.0/24]}}}}
list-conns reply {}
`, `list-conns ""`},
		{"--initiate --child net", `[IKE] initiating IKE_SA office to 203.0.113.7
[ENC] generating IKE_SA_INIT request 0 [ SA KE No ]
initiate completed successfully
`, "initiate {Child:net IKE: Children:false NoWait:false LogLevel:1}"},
		{"--initiate --ike office --timeout 5 --loglevel 2 --raw", `log {group=IKE level=1 msg=initiating IKE_SA office to 203.0.113.7}
log {group=IKE level=2 msg=details that were not asked for}
log {group=ENC level=1 msg=generating IKE_SA_INIT request 0 [ SA KE No ]}
initiate reply {success=yes}
`, "initiate {Child: IKE:office Children:false NoWait:false LogLevel:2}"},
		{"--terminate --ike office", "[IKE] deleting IKE_SA office[7]\nterminate completed successfully\n",
			"terminate {Child: IKE:office ChildID:0 IKEID:0 Force:false Hold:false NoWait:false LogLevel:1}"},
		{"--terminate --child-id 9 --force --raw", "log {group=IKE level=1 msg=deleting IKE_SA office[7]}\nterminate reply {success=yes matches=1 terminated=1}\n",
			"terminate {Child: IKE: ChildID:9 IKEID:0 Force:true Hold:false NoWait:false LogLevel:1}"},
		{"--rekey --child net", "rekey completed successfully\n", "rekey {Child:net IKE: ChildID:0 IKEID:0 Reauth:false Wait:false}"},
		{"--rekey --ike-id 7 --reauth --raw", "rekey reply {success=yes matches=1}\n", "rekey {Child: IKE: ChildID:0 IKEID:7 Reauth:true Wait:false}"},
		{"--counters --reset --name office", "reset-counters completed successfully\n", `reset-counters "office" false`},
		{"--reload-settings", "", "reload-settings"},
	} {
		out, errOut, code := swanctl(t, socket, strings.Fields(c.args)...)
		if out != c.want || code != 0 {
			t.Errorf("swanctl %s: exit %d, %s\n got %s\nwant %s", c.args, code, errOut, out, c.want)
		}
		var want []string
		if c.call != "" {
			want = []string{c.call}
		}
		if calls := b.took(); !reflect.DeepEqual(calls, want) {
			t.Errorf("swanctl %s asks the backend for %q, want %q", c.args, calls, want)
		}
	}
	out, _, code := swanctl(t, socket, "--counters", "--all")
	if code != 0 || !strings.HasPrefix(out, "global:\n  ike-rekey-init        : 0\n") ||
		!strings.Contains(out, "  invalid-spi           : 1099511627776\n") || strings.Count(out, "\n") != 22 {
		t.Errorf("--counters: exit %d\n%s", code, out)
	}
}

// TestSwanctlShowsFailures: the failure value reaches the operator whole, through the stock tool.
func TestSwanctlShowsFailures(t *testing.T) {
	needSwanctl(t)
	b := newFake()
	b.err = testFailure()
	_, socket := startServer(t, b, Options{})
	want := testFailure().Error() + "\n"
	for _, verb := range []string{"initiate", "terminate", "rekey"} {
		_, errOut, code := swanctl(t, socket, "--"+verb, "--ike", "office")
		words := ""
		if verb == "initiate" {
			words = "establishing IKE_SA 'office' failed: "
		}
		if errOut != verb+" failed: "+words+want || code != 1 {
			t.Errorf("%s: exit %d, got %s\nwant %s", verb, code, errOut, want)
		}
	}
	if _, errOut, code := swanctl(t, socket, "--reload-settings"); errOut != "reload-settings failed: "+want || code == 0 {
		t.Errorf("reload-settings: exit %d, got %s", code, errOut)
	}
	out, _, _ := swanctl(t, socket, "--initiate", "--ike", "office", "--raw")
	if !strings.HasSuffix(out, "initiate reply {success=no errmsg=establishing IKE_SA 'office' failed: "+strings.TrimSuffix(want, "\n")+"}\n") {
		t.Errorf("raw: %s", out)
	}
	// Text that is not ASCII would vanish whole.
	b.set(func() { b.err = errors.New("IKE_SA ‘office’ → failed ×3\nBäckerei") })
	_, errOut, _ := swanctl(t, socket, "--initiate", "--ike", "office")
	if errOut != "initiate failed: establishing IKE_SA 'office' failed: IKE_SA 'office' -> failed x3 B?ckerei\n" {
		t.Errorf("not ASCII: %q", errOut)
	}
	b.set(func() { b.err, b.terminated = nil, TerminateResult{} })
	if _, errOut, code := swanctl(t, socket, "--terminate", "--ike", "none"); errOut != "terminate failed: no matching SAs to terminate found\n" || code != 1 {
		t.Errorf("terminate nothing: exit %d, %s", code, errOut)
	}
	if _, errOut, code := swanctl(t, socket, "--counters", "--name", "none"); errOut != "get-counters failed: no counters found for this connection\n" || code != 1 {
		t.Errorf("no counters: exit %d, %s", code, errOut)
	}
}

// TestSwanctlLists: lists of what there is, and of what there is none of.
func TestSwanctlLists(t *testing.T) {
	needSwanctl(t)
	b := newFake()
	_, socket := startServer(t, b, Options{})
	for _, c := range []struct{ args, want string }{
		{"--list-pols", "office/net, TUNNEL\n  local:  10.10.0.0/24[tcp/ssh]\n  remote: dynamic\nlab/all, DROP\n  local:  0.0.0.0/0\n  remote: 0.0.0.0/0\n"},
		{"--list-pols --trap --raw", "list-policy event {office/net {child=net ike=office mode=TUNNEL local-ts=[10.10.0.0/24[tcp/ssh]] remote-ts=[dynamic]}}\n" +
			"list-policies reply {}\n"},
		{"--list-algs", "aead:\n  AES_GCM_16[test]\ndh:\n  CURVE_25519[test]\n"},
		{"--list-algs --raw", "get-algorithms reply {aead {AES_GCM_16=test} dh {CURVE_25519=test}}\n"},
		{"--list-pools", "office               10.30.0.0                           1 / 1 / 254\n" +
			"six                  2001:db8:3::                   0 / 0 / 18446744073709551615\n"},
		{"--list-pools --leases --name office", "office               10.30.0.0                           1 / 1 / 254\n" +
			"  10.30.0.1                      online   'alice'\n  10.30.0.2                      offline  'CN=bob, O=x'\n"},
		{"--list-pools --name six --raw", "get-pools reply {six {base=2001:db8:3:: size=18446744073709551615 online=0 offline=0}}\n"},
		{"--list-authorities --name strongswan", "strongswan:\n  cacert: C=CH, O=strongSwan, CN=strongSwan Root CA\n  crl_uris:  http://crl.example/a.crl\n" +
			"  cert_uri_base: http://certs.example/\n"},
		{"--list-authorities --raw", "list-authorities event {strongswan {cacert=C=CH, O=strongSwan, CN=strongSwan Root CA crl_uris=[http://crl.example/a.crl] " +
			"ocsp_uris=[] cert_uri_base=http://certs.example/}}\nlist-authorities reply {}\n"},
		{"--flush-certs", ""},
		{"--install --child net --ike office", "install completed successfully\n"},
		{"--uninstall --child net", "uninstall completed successfully\n"},
	} {
		out, errOut, code := swanctl(t, socket, strings.Fields(c.args)...)
		if out != c.want || errOut != "" || code != 0 {
			t.Errorf("swanctl %s: exit %d, %s\n got %s\nwant %s", c.args, code, errOut, out, c.want)
		}
	}
	b.took()
	b.set(func() { b.err = testFailure() })
	for _, verb := range []string{"install", "uninstall"} {
		if _, errOut, code := swanctl(t, socket, "--"+verb, "--child", "net"); errOut != verb+" failed: "+testFailure().Error()+"\n" || code != 1 {
			t.Errorf("%s: exit %d, got %s", verb, code, errOut)
		}
	}
}

// TestSwanctlLoads: the folder of strongSwan's own tool arrives as requests, and what the daemon says of them is shown.
func TestSwanctlLoads(t *testing.T) {
	needSwanctl(t)
	b := newFake()
	_, socket := startServer(t, b, Options{})
	dir := t.TempDir()
	t.Setenv("SWANCTL_DIR", dir)
	file := filepath.Join(dir, "swanctl.conf")
	if err := os.WriteFile(file, []byte("connections { office { remote_addrs = 192.0.2.9\n local { auth = psk }\n children { net { remote_ts = 10.1.0.0/16, 10.2.0.0/16 } } } }\n"+
		"secrets { ike-1 { id = a.example\n secret = 0x7800 }\n eap-2 { id = bob\n secret = secret } }\n"+
		"pools { p { addrs = 10.0.0.0/24\n dns = 10.0.0.1 } }\nauthorities { a { crl_uris = http://x.example/ } }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		verb string
		want []string
	}{
		{"--load-conns", []string{`load-conn "office" remote_addrs=[192.0.2.9] local {auth=psk} children {net {remote_ts=[10.1.0.0/16 10.2.0.0/16]}}`, `unload-conn "lab"`}},
		{"--load-creds", []string{`load-shared "ike-1" IKE "x\x00" ["a.example"]`, `load-shared "eap-2" EAP "secret" ["bob"]`}},
		{"--load-pools", []string{`load-pool "p" addrs=10.0.0.0/24 dns=[10.0.0.1]`, `unload-pool "office"`, `unload-pool "six"`}},
		{"--load-authorities", []string{`load-authority "a" crl_uris=[http://x.example/]`, `unload-authority "strongswan"`}},
	} {
		b.took()
		out, errOut, code := swanctl(t, socket, c.verb, "--file", file)
		calls := b.took()
		for _, want := range c.want {
			if !slices.Contains(calls, want) {
				t.Errorf("%s: no %s in %q", c.verb, want, calls)
			}
		}
		if code != 0 {
			t.Errorf("%s: exit %d, %s%s", c.verb, code, out, errOut)
		}
	}
	b.set(func() { b.err = errors.New("the file has it. Fix: unload nothing") })
	_, errOut, code := swanctl(t, socket, "--load-conns", "--file", file)
	if !strings.Contains(errOut, "the file has it. Fix: unload nothing") || code == 0 {
		t.Errorf("refused: exit %d, %s", code, errOut)
	}
}

// follow runs a swanctl that goes on until it is told to stop. raise is called once it shows events. Lines of its output are
// returned, as many as are asked for, from the one on that begins with first.
//
// That it has registered is not enough: libvici knows where to take an event only some time after the confirmation, and loses
// what comes in between. So warm raises something like the last of the events again and again until anything is shown.
func follow(t *testing.T, events []string, args []string, lines int, warm, raise func(*Server), first string) string {
	t.Helper()
	needSwanctl(t)
	s, path := startServer(t, newFake(), Options{})
	ctx, cancel := context.WithTimeout(context.Background(), swanctlTime)
	defer cancel()
	// swanctl's output is buffered when it goes to a pipe, so it would be seen at its end only.
	args = append([]string{"-oL", "swanctl"}, append(args, "--uri", "unix://"+path)...)
	cmd := exec.CommandContext(ctx, "stdbuf", args...)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}()
	for _, e := range events {
		await(t, func() bool { return s.Listening(e) })
	}
	shown, warmed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(warmed)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			warm(s)
			select {
			case <-shown:
				return
			case <-tick.C:
			}
		}
	}()
	r := bufio.NewReader(pipe)
	_, err = r.ReadString('\n')
	close(shown)
	<-warmed
	raise(s)
	var out strings.Builder
	for n := 0; n < lines && err == nil; {
		var line string
		line, err = r.ReadString('\n')
		if n > 0 || strings.HasPrefix(line, first) {
			out.WriteString(line)
			n++
		}
	}
	if err != nil {
		t.Errorf("swanctl %v ends after %q: %v", args, out.String(), err)
	}
	return out.String()
}

func TestSwanctlMonitor(t *testing.T) {
	raise := func(s *Server) {
		sa := testSA()
		s.IKEUpdown(true, *sa)
		s.ChildUpdown(true, *sa, sa.Children[0])
		s.IKEUpdown(false, *testSA2())
	}
	warm := func(s *Server) {
		sa := testSA()
		sa.Name = "warm"
		s.ChildUpdown(true, *sa, sa.Children[0])
	}
	events := []string{EventIKEUpdown, EventChildUpdown}
	out := follow(t, events, []string{"--monitor-sa"}, 11, warm, raise, "office: ")
	if !strings.HasPrefix(out, "office: #7, ESTABLISHED, IKEv2, 0123456789abcdef_i* 000000000000fedc_r\n") ||
		!strings.Contains(out, "  net: #9, reqid 1, INSTALLED, TUNNEL-in-UDP, ESP:AES_GCM_16-256/ECP_384/ESN\n") {
		t.Errorf("--monitor-sa: %s", out)
	}
	out = follow(t, events, []string{"--monitor-sa", "--raw"}, 3, warm, raise, "ike-updown event {up=yes office ")
	for _, want := range []string{
		"ike-updown event {up=yes office {uniqueid=7 version=2 ", "rekey-time=14400 tasks-active=[CHILD_REKEY]}}\n",
		"child-updown event {up=yes office {uniqueid=7 ", "child-sas {net-9 {name=net uniqueid=9 ",
		"ike-updown event {lab {uniqueid=8 ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("--monitor-sa --raw: no %q in\n%s", want, out)
		}
	}
}

func TestSwanctlLog(t *testing.T) {
	raise := func(s *Server) {
		s.Log(LogEntry{Group: "IKE", Level: 1, Thread: 3, IKEName: "office", IKEUniqueID: "7", Msg: "one\ntwo\n"})
		s.Log(LogEntry{Group: "NET", Level: 2, Msg: "too detailed"})
		s.Log(LogEntry{Group: "CFG", Level: 0, Msg: "three ×3"})
	}
	warm := func(s *Server) { s.Log(LogEntry{Group: "ENC", Level: 0, Msg: "warm"}) }
	if out := follow(t, []string{EventLog}, []string{"--log"}, 3, warm, raise, "03[IKE] "); out != "03[IKE] one\n03[IKE] two\n00[CFG] three x3\n" {
		t.Errorf("--log: %s", out)
	}
	out := follow(t, []string{EventLog}, []string{"--log", "--raw"}, 1, warm, raise, "log {group=IKE ")
	if !strings.HasPrefix(out, "log {group=IKE level=1 thread=3 ikesa-name=office ikesa-uniqueid=7 msg=one}\n") {
		t.Errorf("--log --raw: %s", out)
	}
}

// await waits until a condition holds that another process or goroutine brings about.
func await(t *testing.T, cond func() bool) {
	t.Helper()
	deadline := time.After(swanctlTime)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it does not come about")
		}
	}
}
