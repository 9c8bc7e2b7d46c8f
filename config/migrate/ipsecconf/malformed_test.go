package ipsecconf_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/config/migrate"
	"esplanade/config/migrate/ipsecconf"
)

// memory is files by their names.
type memory map[string]string

func (m memory) ReadFile(name string, limit int64) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func (m memory) Glob(pattern string) (out []string, err error) {
	for name := range m {
		if ok, err := path.Match(pattern, name); err != nil {
			return nil, err
		} else if ok {
			out = append(out, name)
		}
	}
	return out, nil
}

// read reads files of memory, of which "ipsec.conf" is the first.
func read(d ipsecconf.Dialect, files memory, here ...string) (*migrate.Result, error) {
	return ipsecconf.Read("ipsec.conf", ipsecconf.Options{Options: migrate.Options{Files: files, InlineSecrets: true, Here: here}, Dialect: d})
}

func TestSyntax(t *testing.T) {
	const conn = "conn a\n\tright=192.0.2.1\n\tauto=add\n"
	for _, c := range []struct {
		name    string
		dialect ipsecconf.Dialect
		text    string
		want    string // a part of the error; "" for none
	}{
		{"nothing", ipsecconf.StrongSwan, "", ""},
		{"no line feed at the end", ipsecconf.StrongSwan, "conn a\n\tauto=add", ""},
		{"line ends of Windows", ipsecconf.StrongSwan, "conn a\r\n\tauto=add\r\n", ""},
		{"a legacy version", ipsecconf.Libreswan, "version 2.0\n" + conn, ""},
		{"a setting that is not indented", ipsecconf.StrongSwan, "conn a\nauto=add\n", `ipsec.conf:2:1: a setting must be indented`},
		{"a section that is indented", ipsecconf.StrongSwan, "  conn a\n", `ipsec.conf:1:3: a section must not be indented`},
		{"a setting before all sections", ipsecconf.StrongSwan, "\tauto=add\n", `ipsec.conf:1:2: a setting before the first section`},
		{"a setting without a name", ipsecconf.StrongSwan, "conn a\n\t=add\n", `a setting without a name`},
		{"a setting without a value", ipsecconf.StrongSwan, "conn a\n\tauto\n", `ipsec.conf:2:2: "auto" has no value`},
		{"an empty value", ipsecconf.StrongSwan, "conn a\n\tauto=add\n\tleftid=\n", ""},
		{"a second =", ipsecconf.StrongSwan, "conn a\n\tleftid=C=CH\n", `ipsec.conf:2:10: a second "="`},
		{"an open quote", ipsecconf.StrongSwan, "conn a\n\tleftid=\"C=CH\n\tauto=add\n", `ipsec.conf:2:9: a quote that is not closed`},
		{"an open quote, libreswan", ipsecconf.Libreswan, "conn a\n\tleftid=\"C=CH\n\tauto=add\n", `ipsec.conf:2:9: a quote that is not closed`},
		{"a quote over lines", ipsecconf.StrongSwan, "config setup\n\tcharondebug=\"ike 2,\n\tcfg 2\"\n" + conn, ""},
		{"an open brace", ipsecconf.Libreswan, "conn a\n\tleftsubnets={10.0.0.0/8\n", `ipsec.conf:2:14: a brace that is not closed`},
		{"words without quotes", ipsecconf.Libreswan, "conn a\n\tmodecfgdns=8.8.8.8, 8.8.4.4\n", `ipsec.conf:2:22: more text behind the value`},
		{"words without quotes, strongSwan", ipsecconf.StrongSwan, "conn a\n\tright=192.0.2.1\n\tike=aes256-sha256-modp2048, aes128-sha256-modp2048!\n\tauto=add\n", ""},
		{"a section without a name", ipsecconf.StrongSwan, "conn\n", `a section conn without a name`},
		{"two names", ipsecconf.StrongSwan, "conn a b\n", `more text where the line should end`},
		{"another config", ipsecconf.StrongSwan, "config a\n", `the only section of kind config`},
		{"a ca of libreswan", ipsecconf.Libreswan, "ca a\n", `libreswan has no sections ca`},
		{"something else", ipsecconf.StrongSwan, "connections {\n}\n", `"connections" is no section`},
		{"an include of nothing", ipsecconf.StrongSwan, "include\n", `include without a name of a file`},
		{"an include of what is not there", ipsecconf.StrongSwan, "include other.conf\n", `ipsec.conf:1:1: there is no file other.conf`},
		{"an include of what may be there", ipsecconf.StrongSwan, "include ipsec.d/*.conf\n" + conn, ""},
		{"an include of itself", ipsecconf.StrongSwan, "include ipsec.conf\n", `deep`},
		{"every error", ipsecconf.StrongSwan, "conn\nconn a b\n", "ipsec.conf:1:1: a section conn without a name\nipsec.conf:2:8: "},
		{"many errors", ipsecconf.StrongSwan, strings.Repeat("conn\n", 1000), `ipsec.conf:20:1`},
		{"a nul octet", ipsecconf.StrongSwan, "conn a\n\tauto=add\x00\n", ""},
		{"no UTF-8", ipsecconf.StrongSwan, "conn \xff\xfe\n\tright=192.0.2.1\n\tauto=add\n\tleftid=\xff\n", ""},
		{"too large", ipsecconf.StrongSwan, strings.Repeat("#\n", 1<<20), "too large"},
		{"a long section", ipsecconf.StrongSwan, "conn a\n" + strings.Repeat("\tauto=add\n", 1001), "more than 1000 settings"},
		{"many sections", ipsecconf.StrongSwan, many(10_001), "more than 10000 sections"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.dialect, memory{"ipsec.conf": c.text})
			switch {
			case c.want == "" && err != nil:
				t.Errorf("error %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			var syntax *ipsecconf.SyntaxError
			if err != nil && !errors.As(err, &syntax) {
				t.Errorf("%T is no *SyntaxError", err)
			}
			if n := strings.Count(fmt.Sprint(err), "\n"); n >= 20 {
				t.Errorf("%d lines of errors", n+1)
			}
		})
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "conn c%d\n", i)
	}
	return b.String()
}

// What is wrong with a value costs the conn, or the key, and never the file.
func TestBadValues(t *testing.T) {
	for _, c := range []struct {
		dialect   ipsecconf.Dialect
		line      string
		want      string // a part of what is said
		connThere bool
	}{
		{ipsecconf.StrongSwan, "keyexchange=ikev1", "there is only IKEv2 here", false},
		{ipsecconf.StrongSwan, "keyexchange=ikev3", "there is no such version", false},
		{ipsecconf.StrongSwan, "type=transport", "only the mode tunnel", false},
		{ipsecconf.StrongSwan, "type=drop", "routes and the firewall", false},
		{ipsecconf.StrongSwan, "ah=sha256", "there is no AH here", false},
		{ipsecconf.StrongSwan, "leftauth=xauth", "XAUTH is of IKEv1", false},
		{ipsecconf.StrongSwan, "authby=xauthpsk", "XAUTH is of IKEv1", false},
		{ipsecconf.StrongSwan, "rightauth=any", "by a certain method", false},
		{ipsecconf.StrongSwan, "rightauth=eap-aka", "there is no such method", false},
		{ipsecconf.StrongSwan, "leftauth=pubkey-sha256", "for a signature is the same for all", true},
		{ipsecconf.StrongSwan, "leftid=\"C=CH, XY=1\"", "leftid=C=CH, XY=1", false},
		{ipsecconf.StrongSwan, "leftid=*.example.org", "stands for several", true},
		{ipsecconf.StrongSwan, "rightid=*.example.org", "", true},
		{ipsecconf.Libreswan, "leftid=*@example.org", "stands for several", true},
		{ipsecconf.StrongSwan, "leftcert=%smartcard:50", "smart cards", false},
		{ipsecconf.StrongSwan, "leftsigkey=0sAAAA", "RFC 3110", false},
		{ipsecconf.StrongSwan, "leftsigkey=0s!!!!", "no public key", false},
		{ipsecconf.StrongSwan, "leftgroups=a", "", true},
		{ipsecconf.StrongSwan, "rightgroups=a", "attribute certificates", false},
		{ipsecconf.StrongSwan, "ike=3des-md5-modp1024!", "not supported", false},
		{ipsecconf.StrongSwan, "ike=3des-md5-modp1024", "not supported", true},
		{ipsecconf.StrongSwan, "esp=,!", "there is no proposal in it", false},
		{ipsecconf.StrongSwan, "leftsubnet=10.0.0.0/33", "leftsubnet=10.0.0.0/33", false},
		{ipsecconf.StrongSwan, "leftsubnet=10.0.0.0/8,10.0.0.0/33", "leftsubnet=", true},
		{ipsecconf.StrongSwan, "leftprotoport=tcp/65536", "leftprotoport", false},
		{ipsecconf.StrongSwan, "leftprotoport=%any/80", "no ports without a protocol", false},
		{ipsecconf.StrongSwan, "leftsourceip=everybody", "no address to ask for", false},
		{ipsecconf.StrongSwan, "rightsourceip=10.0.0.9-10.0.0.x", "no network and no range", false},
		{ipsecconf.StrongSwan, "rightsourceip=%mypool", "kept elsewhere", false},
		{ipsecconf.StrongSwan, "ikelifetime=long", "it is no time", false},
		{ipsecconf.StrongSwan, "lifetime=5m", "", true},
		{ipsecconf.StrongSwan, "rekeymargin=2h", "nine tenths", true},
		{ipsecconf.StrongSwan, "rekeyfuzz=a%", "percentage", false},
		{ipsecconf.StrongSwan, "lifebytes=1000", "has to carry more", true},
		{ipsecconf.StrongSwan, "lifepackets=many", "it is no number", false},
		{ipsecconf.StrongSwan, "keyingtries=some", "it is no number", false},
		{ipsecconf.StrongSwan, "reqid=-5", "it is no number", false},
		{ipsecconf.StrongSwan, "leftikeport=4500", "", true},
		{ipsecconf.StrongSwan, "leftikeport=70000", "it is no port", false},
		{ipsecconf.StrongSwan, "forceencaps=maybe", "neither yes nor no", false},
		{ipsecconf.StrongSwan, "auto=sometimes", "there is no such word", false},
		{ipsecconf.StrongSwan, "rightallowany=yes", "", true},
		{ipsecconf.StrongSwan, "also=nobody", "there is no such section", true},
		{ipsecconf.StrongSwan, "also=a", "leads back", true},
		{ipsecconf.StrongSwan, "wibble=1", "ignores it as well", true},
		{ipsecconf.StrongSwan, "mark=7", "kernel", true},
		{ipsecconf.Libreswan, "ikev2=no", "there is only IKEv2 here", false},
		{ipsecconf.Libreswan, "keyexchange=ikev1", "there is only IKEv2 here", false},
		{ipsecconf.Libreswan, "authby=null", "NULL authentication", false},
		{ipsecconf.Libreswan, "authby=secret,rsasig", "one method", false},
		{ipsecconf.Libreswan, "authby=hope", "no such method", false},
		{ipsecconf.Libreswan, "leftautheap=sim", "no such method", false},
		{ipsecconf.Libreswan, "phase2=ah", "there is no AH", false},
		{ipsecconf.Libreswan, "ike=serpent", `there is no "serpent" here`, false},
		{ipsecconf.Libreswan, "ike=sha2", "it has no cipher", false},
		{ipsecconf.Libreswan, "esp=null-sha1", "without encryption", false},
		{ipsecconf.Libreswan, "ike=aes256-sha2;ke=dh19;addke1=ml_kem_768", "is not read", false},
		{ipsecconf.Libreswan, "rightsubnet=vhost:%no,%priv", "which networks a client may have", false},
		{ipsecconf.Libreswan, "leftsubnet=10.0.0.0/8/tcp/x", "leftsubnet", false},
		{ipsecconf.Libreswan, "encapsulation=no", "where there is a NAT", true},
		{ipsecconf.Libreswan, "rightrsasigkey=%dnsondemand", "looked for in the DNS", false},
		{ipsecconf.Libreswan, "mtu=1300", "see mtu in [tun]", true},
		{ipsecconf.Libreswan, "wibble=1", "no such keyword", true},
		{ipsecconf.Libreswan, "dpddelay=soon", "it is no time", false},
		{ipsecconf.Libreswan, "ipsec-max-bytes=5", "too small", true},
	} {
		t.Run(c.dialect.String()+" "+c.line, func(t *testing.T) {
			text := "conn a\n\tleft=192.0.2.1\n\tright=192.0.2.2\n\tauto=add\n\t" + c.line + "\n"
			if strings.HasPrefix(c.line, "auto=") {
				text = "conn a\n\tleft=192.0.2.1\n\tright=192.0.2.2\n\t" + c.line + "\n"
			}
			res, err := read(c.dialect, memory{"ipsec.conf": text})
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, l := range res.Left {
				said = append(said, l.String())
				if l.At.Line == 0 {
					t.Errorf("%q has no place", l)
				}
			}
			if all := strings.Join(said, "\n"); !strings.Contains(all, c.want) || c.want == "" && all != "" {
				t.Errorf("said:\n%s\nwant %q", all, c.want)
			}
			if _, ok := res.Config.Get("connections"); !ok || strings.Contains(res.TOML(), "[connections.a]") != c.connThere {
				t.Errorf("the connection is there: %t, want %t:\n%s", !c.connThere, c.connThere, res.TOML())
			}
		})
	}
}

// TestTakesNoMore: a child that would take more than it took is left out.
func TestTakesNoMore(t *testing.T) {
	for _, c := range []struct {
		dialect ipsecconf.Dialect
		line    string
		want    string // why it is left out; "" if it is not
	}{
		{ipsecconf.StrongSwan, "mark=7\n\trightsubnet=0.0.0.0/1,128.0.0.0/1", "routes to a device"},
		{ipsecconf.StrongSwan, "mark=7\n\trightsubnet=10.0.0.0/8", ""},
		{ipsecconf.StrongSwan, "installpolicy=no", "no packet goes into this tunnel"},
		{ipsecconf.StrongSwan, "installpolicy=yes", ""},
		{ipsecconf.Libreswan, "vti-interface=vti0\n\trightsubnet=0.0.0.0/0", "routes to a device"},
		{ipsecconf.Libreswan, "sec-label=system_u:object_r:x_t:s0", "packets of all labels"},
	} {
		res, err := read(c.dialect, memory{"ipsec.conf": "conn a\n\tleft=192.0.2.1\n\tright=192.0.2.2\n\tauto=add\n\t" + c.line + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(res.TOML(), "[connections.a.children") != (c.want == "") || c.want != "" && (len(res.Left) != 1 || !strings.Contains(res.Left[0].String(), c.want)) {
			t.Errorf("%s: %v\n%s", c.line, res.Left, res.TOML())
		}
	}
}

// Who has no address cannot be called, and nothing is wanted of it.
func TestNobodyToCall(t *testing.T) {
	for _, c := range []struct {
		right, actions string
		want           []string
		left           bool
	}{
		{"%any", "auto=start\n\tdpdaction=restart\n\tdpddelay=30", []string{"start_action = \"none\""}, true},
		{"10.0.0.0/8", "auto=route", []string{"start_action = \"none\""}, true},
		{"192.0.2.1-192.0.2.9", "auto=route", []string{"start_action = \"none\""}, true},
		{"%any", "auto=add", []string{"start_action = \"none\""}, false},
		{"my-gw.example.org", "auto=start", []string{"start_action = \"start\""}, false},
		{"192.0.2.1", "auto=add\n\tdpdaction=restart\n\tdpddelay=30", []string{"start_action = \"none\"", "dpd_action   = \"start\""}, false},
		{"192.0.2.1", "auto=start\n\tdpdaction=hold\n\tdpddelay=30", []string{"start_action = \"start\""}, false},
	} {
		for _, d := range []ipsecconf.Dialect{ipsecconf.StrongSwan, ipsecconf.Libreswan} {
			res, err := read(d, memory{"ipsec.conf": "conn a\n\tleft=198.51.100.7\n\tright=" + c.right + "\n\t" + c.actions + "\n"})
			if err != nil {
				t.Fatal(err)
			}
			got := res.TOML()
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("%s, %s, %s: no %s in\n%s", d, c.right, c.actions, w, got)
				}
			}
			if strings.Contains(got, "dpd_action") != (len(c.want) > 1) || len(res.Left) > 0 != c.left {
				t.Errorf("%s, %s, %s: %v\n%s", d, c.right, c.actions, res.Left, got)
			}
		}
	}
}

// Two ways to one network: the second one is a stand-by.
func TestStandBy(t *testing.T) {
	const conns = "conn %default\n\tauthby=secret\n\tleft=192.0.2.1\n\tleftsubnet=10.1.0.0/16\n\trightsubnet=10.2.0.0/16\n" +
		"conn first\n\tright=198.51.100.7\n\tauto=start\nconn second\n\tright=198.51.100.8\n\tauto=start\n" +
		"conn third\n\tright=198.51.100.9\n\tauto=add\nconn other\n\tright=198.51.100.9\n\trightsubnet=10.3.0.0/16\n\tauto=route\n"
	res, err := read(ipsecconf.StrongSwan, memory{"ipsec.conf": conns, "ipsec.secrets": ": PSK \"kpD3y6Rr0T9mVq2xWc8sLb5nZf7hJg1u\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Left) != 1 || res.Left[0].What != "auto=start" || res.Left[0].At.Line != 11 || !strings.Contains(res.Left[0].Why, "conn first has the same networks") {
		t.Errorf("%v is left out", res.Left)
	}
	got := res.TOML()
	for word, n := range map[string]int{`"start"`: 1, `"trap"`: 1, `"none"`: 2} {
		if strings.Count(got, "start_action = "+word) != n {
			t.Errorf("not %d with start_action %s:\n%s", n, word, got)
		}
	}
	if _, err := config.Parse("result", []byte(got)); err != nil {
		t.Error(err)
	}
}

// FuzzRead has no input make the reader fail in another way than by an error, or make something that can't be read.
func FuzzRead(f *testing.F) {
	f.Add(uint8(1), "conn a\n\tleft=%any\n\tright=192.0.2.2\n\tleftsubnet=10.0.0.0/8[tcp/80]\n\tauto=start\n", "a b : PSK \"x\"\n: RSA k.pem 'p'\n")
	f.Add(uint8(2), "conn a\n\tleftsubnets={10.0.0.0/8 fd00::/8}\n\tright=192.0.2.2\n\tike=aes_gcm-sha2;dh19\n\tauto=up\n", "@a @[b] : PSK 0x00\n : PPKS \"a\" 0sAAAA\n")
	f.Add(uint8(0), "config setup\n\tuniqueids=no\nconn %default\n\talso=b\nca x\n\tcacert=y\n\tauto=add\nconn b\n\talso=c\nconn c\n\talso=b\n", ": XAUTH\n")
	f.Fuzz(func(t *testing.T, dialect uint8, conf, secrets string) {
		res, err := read(ipsecconf.Dialect(dialect%3), memory{"ipsec.conf": conf, "ipsec.secrets": secrets})
		if err != nil {
			return
		}
		mustParse(t, res)
	})
}
