//go:build linux

package integration

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
)

// radiusSecret is what the gateway and the servers share.
const radiusSecret = "the secret of the RADIUS servers in the tests, and of nothing else"

// freeRADIUS is a FreeRADIUS on the loopback interface of a host.
type freeRADIUS struct {
	t       *testing.T
	host    *lab.Host
	dir     string
	process *lab.Process
}

// newFreeRADIUS writes the configuration of a server, with the users of the tests.
func newFreeRADIUS(t *testing.T, h *lab.Host, dir string, ca *testCA) *freeRADIUS {
	t.Helper()
	f := &freeRADIUS{t: t, host: h, dir: filepath.Join(dir, "radius")}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	own := ca.issue("radius.example", "rsa", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	for name, text := range map[string]string{
		"cert.pem": string(pemOf(own.cert)), "key.pem": string(own.keyPEM(t)), "ca.pem": string(pemOf(ca.cert)),
		"dictionary":   "$INCLUDE /usr/share/freeradius/dictionary\n",
		"users":        radiusUsers,
		"radiusd.conf": strings.NewReplacer("DIR", f.dir, "SECRET", radiusSecret).Replace(radiusConf),
	} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("FreeRADIUS, end of the log:\n%s", f.process.Tail())
		}
		f.process.Kill()
	})
	return f
}

// start runs the server, until it takes requests.
func (f *freeRADIUS) start() {
	f.t.Helper()
	var err error
	if f.process, err = f.host.Start("freeradius", lab.Command{Args: []string{"freeradius", "-f", "-x", "-l", "stdout", "-d", f.dir}}); err != nil {
		f.t.Fatal(err)
	}
	lab.Eventually(f.t, 20*time.Second, "FreeRADIUS is ready", func() (bool, string) {
		return strings.Contains(f.process.Log(), "Ready to process requests"), f.process.Tail()
	})
}

// stop ends it without a word.
func (f *freeRADIUS) stop() { f.process.Kill() }

// records are those of accounting so far, each as its attributes.
func (f *freeRADIUS) records() (list []map[string]string) {
	data, err := os.ReadFile(filepath.Join(f.dir, "detail"))
	if err != nil {
		return nil
	}
	for block := range strings.SplitSeq(string(data), "\n\n") {
		r := map[string]string{}
		for line := range strings.Lines(block) {
			if k, v, ok := strings.Cut(line, " = "); ok {
				r[strings.TrimSpace(k)] = strings.Trim(strings.TrimSpace(v), `"`)
			}
		}
		if len(r) > 0 {
			list = append(list, r)
		}
	}
	return list
}

// record waits for one with the status that was not there at a moment.
func (f *freeRADIUS) record(status string, after int) map[string]string {
	f.t.Helper()
	var got map[string]string
	lab.Eventually(f.t, 20*time.Second, "accounting is told of a "+status, func() (bool, string) {
		all := f.records()
		for _, r := range all[min(after, len(all)):] {
			if r["Acct-Status-Type"] == status {
				got = r
				return true, ""
			}
		}
		return false, fmt.Sprint(all)
	})
	return got
}

// order has radclient send an order to the gateway, and gives what that says.
func (f *freeRADIUS) order(kind string, attributes ...string) string {
	f.t.Helper()
	attributes = append(attributes, fmt.Sprintf("Event-Timestamp = %d", time.Now().Unix()))
	out, _ := f.host.Run("sh", "-c", `printf '%s\n' "$1" | radclient -x -r 1 -t 5 -D "$4" 127.0.0.1:3799 "$2" "$3"`, "sh", strings.Join(attributes, "\n"), kind, radiusSecret, "/usr/share/freeradius")
	return out
}

// forger answers every request at a port of a host with an Access-Accept that proves nothing.
func forger(t *testing.T, h *lab.Host, port uint16) {
	t.Helper()
	conn, err := h.ListenUDP(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go answerFalsely(conn)
}

func answerFalsely(conn *net.UDPConn) {
	b := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if n >= 20 {
			accept := append([]byte{2, b[1], 0, 26}, make([]byte, 16)...)
			_, _ = conn.WriteToUDPAddrPort(append(accept, 79, 6, 3, 1, 0, 4), from) // EAP-Success, and no authenticator
		}
	}
}

// radiusUsers are the users of the server. A FreeRADIUS older than 3.2.5 sends no Message-Authenticator with a rejection before EAP, unless it is told to.
const radiusUsers = `
alice Cleartext-Password := "alices Passwort"
	Class = "staff",
	Session-Timeout = 7200
bob Cleartext-Password := "bobs Passwort", EAP-Type := TTLS
	Class = "staff"
carol Cleartext-Password := "carols Passwort", EAP-Type := PEAP
	Class = "staff"
dave EAP-Type := TLS
	Class = "staff"
guest Cleartext-Password := "a guest"
	Class = "guests"
erin Cleartext-Password := "erins Passwort"
	Class = "staff",
	Framed-IP-Address = 10.77.0.9,
	Framed-IPv6-Address = 2001:db8:77::9,
	MS-Primary-DNS-Server = 10.20.0.53,
	MS-Secondary-DNS-Server = 10.20.0.54,
	DNS-Server-IPv6-Address = 2001:db8:77::53
frank Cleartext-Password := "franks Passwort"
	Class = "staff",
	Framed-Pool = "office"
mallory Auth-Type := Reject
	Reply-Message = "account locked",
	Message-Authenticator = 0x00
`

const radiusConf = `
prefix = /usr
exec_prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = DIR
confdir = DIR
logdir = DIR
run_dir = DIR
db_dir = DIR
name = radiusd
pidfile = DIR/pid
max_request_time = 5
cleanup_delay = 1
max_requests = 1024
security {
	allow_vulnerable_openssl = yes
	reject_delay = 0
}
thread pool {
	start_servers = 2
	max_servers = 4
}
client esplanade {
	ipaddr = 127.0.0.1
	secret = "SECRET"
	require_message_authenticator = yes
}
modules {
	pap {
	}
	mschap {
	}
	files {
		usersfile = DIR/users
	}
	detail {
		filename = DIR/detail
		header = "%t"
		permissions = 0600
	}
	eap {
		default_eap_type = mschapv2
		timer_expire = 60
		tls-config tls-common {
			private_key_file = DIR/key.pem
			certificate_file = DIR/cert.pem
			ca_file = DIR/ca.pem
			tls_min_version = "1.2"
			tls_max_version = "1.2"
		}
		tls {
			tls = tls-common
		}
		ttls {
			tls = tls-common
			default_eap_type = mschapv2
			copy_request_to_tunnel = yes
			use_tunneled_reply = yes
			virtual_server = inner
		}
		peap {
			tls = tls-common
			default_eap_type = mschapv2
			copy_request_to_tunnel = yes
			use_tunneled_reply = yes
			virtual_server = inner
		}
		mschapv2 {
		}
	}
}
server outer {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = 1812
	}
	listen {
		type = acct
		ipaddr = 127.0.0.1
		port = 1813
	}
	authorize {
		files
		eap {
			ok = return
		}
	}
	authenticate {
		Auth-Type MS-CHAP {
			mschap
		}
		eap
	}
	accounting {
		detail
	}
}
server inner {
	authorize {
		files
		update control {
			EAP-Type := MSCHAPv2
		}
		mschap
		eap {
			ok = return
		}
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
		Auth-Type MS-CHAP {
			mschap
		}
		eap
	}
}
`
