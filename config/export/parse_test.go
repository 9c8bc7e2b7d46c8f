package export

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"esplanade/config"
)

// TestPlists: each profile for Apple's systems is a property list, by the grammar of its DTD and for the tools that are there, and its payloads
// have what each has to have.
func TestPlists(t *testing.T) {
	eachProfile(t, func(t *testing.T, name string, f Format, p *Profile, r Result) {
		if f.Name != "mobileconfig" || f.File == ".refused" {
			return
		}
		root, err := readPlist(r.Data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		profile := root.(map[string]any)
		seen := map[any]bool{}
		kinds := map[any]int{}
		for _, x := range append(profile["PayloadContent"].([]any), root) {
			payload := x.(map[string]any)
			for _, k := range []string{"PayloadType", "PayloadIdentifier", "PayloadUUID", "PayloadDisplayName"} {
				if s, ok := payload[k].(string); !ok || s == "" {
					t.Errorf("%s: a payload without %s: %v", name, k, payload)
				}
			}
			if payload["PayloadVersion"] != "1" || seen[payload["PayloadUUID"]] || seen[payload["PayloadIdentifier"]] {
				t.Errorf("%s: version %v, or an identifier twice: %v", name, payload["PayloadVersion"], payload["PayloadUUID"])
			}
			seen[payload["PayloadUUID"]], seen[payload["PayloadIdentifier"]] = true, true
			kinds[payload["PayloadType"]]++
			if ref, ok := payload["IKEv2"].(map[string]any); ok {
				if id, ok := ref["PayloadCertificateUUID"]; ok && id != p.uuid("certificate") {
					t.Errorf("%s: the certificate is %v", name, id)
				}
			}
			if data, ok := payload["PayloadContent"].([]byte); ok && payload["PayloadType"] == "com.apple.security.pkcs12" && !bytes.Equal(data, p.Bundle) {
				t.Errorf("%s: the bundle is another one", name)
			}
		}
		if kinds["com.apple.vpn.managed"] != 1 || kinds["com.apple.security.root"] != len(p.CAs) || (kinds["com.apple.security.pkcs12"] == 1) != p.certificate() {
			t.Errorf("%s: the payloads are %v", name, kinds)
		}
		for _, tool := range [][]string{{"plutil", "-lint", "-"}, {"plistutil", "-i", "-"}, {"python3", "-c", "import plistlib, sys; plistlib.loads(sys.stdin.buffer.read())"}} {
			if path, err := exec.LookPath(tool[0]); err == nil {
				c := exec.Command(path, tool[1:]...)
				c.Stdin = bytes.NewReader(r.Data)
				if out, err := c.CombinedOutput(); err != nil {
					t.Errorf("%s: %s: %v\n%s", name, tool[0], err, out)
				}
			}
		}
	})
}

// TestNoPlists: what the grammar does not have is refused by the reader of the tests.
func TestNoPlists(t *testing.T) {
	good := string(plist(dict{{"a", 1}, {"b", []any{true, "x"}}, {"c", []byte{1}}}))
	if _, err := readPlist([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, x := range [][2]string{{"<integer>1", "<integer>one"}, {"<key>a</key>", ""}, {"<true/>", "<yes/>"}, {"<true/>", "<true>1</true>"}, {"version=\"1.0\">\n<dict", "version=\"1.0\">x<dict"},
		{"</dict>\n</plist>", "</dict>\n<dict></dict></plist>"}, {"AQ==", "A Q"}, {"<plist version", "<plist a=\"b\" version"}, {"<array>", "<array x=\"1\">"}} {
		bad := strings.Replace(good, x[0], x[1], 1)
		if bad == good {
			t.Fatalf("no %s in %s", x[0], good)
		}
		if v, err := readPlist([]byte(bad)); err == nil {
			t.Errorf("%s for %s is read as %v", x[1], x[0], v)
		}
	}
}

// readPlist reads a property list by the grammar of https://www.apple.com/DTDs/PropertyList-1.0.dtd and no more.
func readPlist(data []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	start, err := nextElement(d)
	if err != nil || start == nil || start.Name.Local != "plist" || len(start.Attr) != 1 || start.Attr[0].Value != "1.0" {
		return nil, fmt.Errorf("no plist: %v, %v", start, err)
	}
	if start, err = nextElement(d); err != nil || start == nil {
		return nil, fmt.Errorf("an empty plist: %w", err)
	}
	v, err := plistElement(d, start)
	if err != nil {
		return nil, err
	}
	if start, err = nextElement(d); err != nil || start != nil {
		return nil, fmt.Errorf("more than one value: %v, %w", start, err)
	}
	return v, nil
}

// nextElement is the next element within another one; nil at the end of that. Between elements there are only spaces.
func nextElement(d *xml.Decoder) (*xml.StartElement, error) {
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch x := tok.(type) {
		case xml.StartElement:
			if x.Name.Local != "plist" && len(x.Attr) > 0 {
				return nil, fmt.Errorf("%s has attributes", x.Name.Local)
			}
			return &x, nil
		case xml.EndElement:
			return nil, nil
		case xml.CharData:
			if len(bytes.TrimSpace(x)) > 0 {
				return nil, fmt.Errorf("text between elements: %q", x)
			}
		}
	}
}

func plistElement(d *xml.Decoder, start *xml.StartElement) (any, error) {
	switch start.Name.Local {
	case "dict":
		out := map[string]any{}
		for {
			k, err := nextElement(d)
			if err != nil || k == nil {
				return out, err
			}
			if k.Name.Local != "key" {
				return nil, fmt.Errorf("a dict has %s in place of a key", k.Name.Local)
			}
			name, err := plistText(d)
			if err != nil {
				return nil, err
			}
			v, err := nextElement(d)
			if err != nil || v == nil {
				return nil, fmt.Errorf("the key %s has no value: %w", name, err)
			}
			if _, twice := out[name]; twice {
				return nil, fmt.Errorf("the key %s is there twice", name)
			}
			if out[name], err = plistElement(d, v); err != nil {
				return nil, err
			}
		}
	case "array":
		out := []any{}
		for {
			v, err := nextElement(d)
			if err != nil || v == nil {
				return out, err
			}
			x, err := plistElement(d, v)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
	case "string":
		return plistText(d)
	case "integer":
		s, err := plistText(d)
		if err == nil && !regexp.MustCompile(`^-?[0-9]+$`).MatchString(s) {
			err = fmt.Errorf("%q is no integer", s)
		}
		return s, err
	case "true", "false":
		s, err := plistText(d)
		if err == nil && s != "" {
			err = fmt.Errorf("%s has text", start.Name.Local)
		}
		return start.Name.Local == "true", err
	case "data":
		s, err := plistText(d)
		if err != nil {
			return nil, err
		}
		return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	}
	return nil, fmt.Errorf("there is no element %s", start.Name.Local)
}

// plistText is the text of an element that has nothing else.
func plistText(d *xml.Decoder) (string, error) {
	var out string
	for {
		tok, err := d.Token()
		if err != nil {
			return "", err
		}
		switch x := tok.(type) {
		case xml.CharData:
			out += string(x)
		case xml.EndElement:
			return out, nil
		default:
			return "", fmt.Errorf("%T within text", tok)
		}
	}
}

// TestXMLAndJSON: what is XML and JSON is read as such, to its end.
func TestXMLAndJSON(t *testing.T) {
	eachProfile(t, func(t *testing.T, name string, f Format, p *Profile, r Result) {
		switch f.File {
		case ".xml":
			wellFormed(t, name, r.Data)
		case ".ps1":
			for _, token := range psTokens(t, string(r.Data)) {
				if s, ok := strings.CutPrefix(token, "'"); ok && strings.HasPrefix(s, "<") {
					wellFormed(t, name, []byte(s))
				}
			}
		case ".sswan":
			var x struct {
				UUID, Name, Type string
				Remote           struct{ Addr, ID, Cert string }
				Local            map[string]string
			}
			d := json.NewDecoder(bytes.NewReader(r.Data))
			if err := d.Decode(&x); err != nil || d.More() {
				t.Fatalf("%s: %v", name, err)
			}
			cert, err := base64.StdEncoding.DecodeString(x.Remote.Cert)
			if err != nil || x.UUID != p.uuid("profile") || x.Remote.Addr != p.Gateway || len(p.CAs) > 0 && !bytes.Equal(cert, p.CAs[0].Raw) {
				t.Errorf("%s: %+v, %v", name, x, err)
			}
		}
	})
}

func wellFormed(t *testing.T, name string, data []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v in %s", name, err, data)
			return
		}
	}
}

// psTokens splits a script as PowerShell does, as far as these scripts go: comments, strings in single quotes with any of the quotes that
// PowerShell takes for one, and words. A string comes with one "'" in front, as it reads.
func psTokens(t *testing.T, script string) (out []string) {
	t.Helper()
	const quotes = "'\u2018\u2019\u201a\u201b"
	runes := []rune(script)
	for i := 0; i < len(runes); {
		switch r := runes[i]; {
		case r == '#':
			for i < len(runes) && runes[i] != '\n' {
				i++
			}
		case strings.ContainsRune(quotes, r):
			text := "'"
			for i++; ; i++ {
				if i >= len(runes) {
					t.Fatalf("a string does not end: %s", text)
				}
				if strings.ContainsRune(quotes, runes[i]) {
					if i+1 < len(runes) && strings.ContainsRune(quotes, runes[i+1]) {
						i++ // two of them are one
					} else {
						i++
						break
					}
				}
				text += string(runes[i])
			}
			out = append(out, text)
		case strings.ContainsRune(" \t\r\n", r):
			i++
		case strings.ContainsRune("()[]{}@,;|=.:", r):
			out = append(out, string(r))
			i++
		default:
			start := i
			for i < len(runes) && (regexp.MustCompile(`[A-Za-z0-9$_\\-]`).MatchString(string(runes[i]))) {
				i++
			}
			if i == start {
				t.Fatalf("%q outside of a string", r)
			}
			out = append(out, string(runes[start:i]))
		}
	}
	return out
}

// hostile are names with what each format has a meaning for.
func hostile() []string {
	return []string{`o'hara`, "x\u2019; Remove-Item C:\\ -Recurse; \u2018", `"; $(reboot) #`, "`whoami`", `<a href="&lt;">]]>`, `a;b=c[d]{e}`, `DOMAIN\user`, `$env:PATH`, `{ include /etc/passwd }`, "ünïcode"}
}

// TestHostileNames: a name is never more than a name in what is written. Control characters are refused.
func TestHostileNames(t *testing.T) {
	dir := folder(t)
	for _, user := range hostile() {
		if got := psTokens(t, psString(user)); len(got) != 1 || got[0] != "'"+user {
			t.Errorf("PowerShell reads %q as %q", user, got)
		}
		for _, gw := range []string{"vpn.example.org", "192.0.2.1"} {
			quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(user)
			c, err := config.Parse(filepath.Join(dir, "h.toml"), []byte(strings.NewReplacer("USER", quoted, "alice@example.org", quoted).Replace(readText(t, "testdata/gateway.toml"))))
			if err != nil {
				t.Fatalf("%q: %v", user, err)
			}
			p, err := New(c, Options{Connection: "phones", User: user, Gateway: gw, WithSecret: true})
			if err != nil {
				t.Fatalf("%q: %v", user, err)
			}
			for _, f := range Formats() {
				r, err := f.Write(p)
				if err != nil {
					continue
				}
				checkHostile(t, user, f, r)
			}
		}
	}
	c := gateway(t)
	for _, user := range []string{"a\nb", "a\x00b", "a\u2028b", "a\x1b[0m"} {
		if p, err := New(c, Options{Connection: "phones", User: user}); err == nil {
			t.Errorf("%q is taken: %v", user, p)
		}
	}
}

// checkHostile reads a profile and looks for the name where it belongs.
func checkHostile(t *testing.T, user string, f Format, r Result) {
	t.Helper()
	text := string(r.Data)
	switch f.Name {
	case "mobileconfig":
		root, err := readPlist(r.Data)
		if err != nil {
			t.Fatalf("%q: %v", user, err)
		}
		ike := root.(map[string]any)["PayloadContent"].([]any)[0].(map[string]any)["IKEv2"].(map[string]any)
		if ike["AuthName"] != user {
			t.Errorf("%q is %q", user, ike["AuthName"])
		}
	case "profilexml":
		wellFormed(t, user, r.Data)
	case "powershell":
		commands := []string{"New-Object", "Get-VpnConnection", "Remove-VpnConnection", "Add-VpnConnection", "Set-VpnConnectionIPsecConfiguration", "Add-VpnConnectionRoute", "Import-PfxCertificate", "Read-Host", "Join-Path", "Out-Null"}
		for _, token := range psTokens(t, text) {
			if strings.Contains(token, "-") && !strings.HasPrefix(token, "'") && !strings.HasPrefix(token, "-") && !slices.Contains(commands, token) {
				t.Errorf("%q: the script runs %s", user, token)
			}
		}
	case "sswan":
		var x struct{ Local map[string]string }
		if err := json.Unmarshal(r.Data, &x); err != nil || x.Local["eap_id"] != user {
			t.Errorf("%q: %v, %v", user, x, err)
		}
	case "networkmanager":
		want := "\nuser=" + keyfile(user) + "\n"
		if strings.Count(text, want) != 1 || strings.Count(text, "\n[vpn-secrets]\n") != 1 {
			t.Errorf("%q: no %q in %s", user, want, text)
		}
	case "toml":
		c, err := loadTOML(t, r.Data)
		if err != nil {
			t.Errorf("%q: %v in %s", user, err, text)
			return
		}
		if a := c.Connections[0].Local; a.EAPID.String() != user && a.ID.String() != user {
			t.Errorf("%q: %v", user, a)
		}
	case "swanctl":
		// Each value in quotes ends on its line, and each line is a section, its end or a setting.
		line := regexp.MustCompile(`^ *(# .*|\}|[A-Za-z0-9_-]+ \{|[a-z0-9_-]+ = ([^"{}#]*|"([^"\\]|\\.)*"))$`)
		for l := range strings.Lines(text) {
			if !line.MatchString(strings.TrimSuffix(l, "\n")) {
				t.Errorf("%q: %s", user, l)
			}
		}
	}
}

// loadTOML loads a configuration with the files that it names beside it.
func loadTOML(t *testing.T, data []byte) (*config.Config, error) {
	t.Helper()
	dir := t.TempDir()
	for name, from := range map[string]string{"phones-ca.crt": "ca.crt", "road-ca.crt": "ca.crt", "fleet-ca.crt": "ca.crt", "tls-ca.crt": "ca.crt", "laptops-ca.crt": "ca.crt", "both-ca.crt": "ca.crt",
		"alice@example.org.crt": "alice.crt", "alice@example.org.key": "alice.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(readText(t, "testdata/"+from)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "office.psk"), []byte("correct-horse-battery-staple-2026\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "esplanade.toml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(file)
}

// TestTOML: what is written for another Esplanade is loaded there, and its connection is the mirror image. What was left out is a file or a
// table that the warning has named.
func TestTOML(t *testing.T) {
	eachProfile(t, func(t *testing.T, name string, f Format, p *Profile, r Result) {
		if f.Name != "toml" {
			return
		}
		c, err := loadTOML(t, r.Data)
		if err != nil && !p.WithSecret && p.eap() && strings.Contains(err.Error(), "secrets.eap") {
			return // the password belongs there
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, r.Data)
		}
		n := c.Connections[0]
		if !n.Local.ID.Equal(p.ClientID) || !n.Remote.ID.Equal(p.GatewayID) || n.Local.Method != p.Method || n.Remote.Method != p.GatewayMethod || len(n.LocalRounds) != int(bit(p.Second != 0)) {
			t.Errorf("%s: %+v and %+v", name, n.Local, n.Remote)
		}
		if len(n.Children) != len(p.Children) || n.MOBIKE != p.conn.MOBIKE || n.Encap != p.conn.Encap || n.PPKID != p.PPKID ||
			n.DPDDelay != p.dpdDelay() || n.RekeyTime != p.ikeLife() || (len(n.VIPs) > 0) != p.Addresses || n.SplitInclude != (len(p.split()) > 0) {
			t.Errorf("%s: %+v", name, n)
		}
		for i, h := range n.Children {
			was := p.Children[i].conf
			if !slices.Equal(h.LocalTS, was.RemoteTS) || !slices.Equal(h.RemoteTS, was.LocalTS) || !slices.Equal(texts(h.Proposals), texts(was.Proposals)) {
				t.Errorf("%s: %+v is no mirror image of %+v", name, h, was)
			}
		}
		if !slices.Equal(texts(n.Proposals), texts(p.conn.Proposals)) {
			t.Errorf("%s: the proposals are %v", name, n.Proposals)
		}
	})
}

func readText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
