package export

import (
	"bytes"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"esplanade/config"
)

// Format is a kind of file.
type Format struct {
	// Name is the word for it, File what its files end with, and For says what reads it.
	Name, File, For string
	// Client: it is for a client, not for a daemon that may be a gateway as well.
	Client bool
	// Private: what reads it takes no file that others can read, with a secret in it or without.
	Private bool
	write   func(*writer) ([]byte, error)
}

// Formats are those that there are.
func Formats() []Format {
	return []Format{
		{"mobileconfig", ".mobileconfig", "iOS, iPadOS and macOS", true, false, mobileconfig},
		{"powershell", ".ps1", "Windows 10 and 11, as a script", true, false, powershell},
		{"profilexml", ".xml", "Windows 10 and 11, as the ProfileXML of VPNv2 for device management", true, false, profileXML},
		{"sswan", ".sswan", "the strongSwan app for Android", true, false, sswan},
		{"networkmanager", ".nmconnection", "NetworkManager with NetworkManager-strongswan", true, true, networkManager},
		{"swanctl", ".conf", "strongSwan, swanctl.conf", false, false, swanctl},
		{"ipsec.conf", ".conf", "strongSwan, its former ipsec.conf", false, false, strokeConf},
		{"libreswan", ".conf", "Libreswan, ipsec.conf", false, false, libreswan},
		{"iked", ".conf", "OpenIKED, iked.conf", false, true, iked},
		{"toml", ".toml", "Esplanade", false, false, toml},
	}
}

// FormatOf finds a format by its name.
func FormatOf(name string) (Format, bool) {
	all := Formats()
	i := slices.IndexFunc(all, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, false
	}
	return all[i], true
}

// Result is what was written.
type Result struct {
	Data []byte
	// Secret: there is a secret in it.
	Secret bool
	// Warnings are what the format can't express, and what is to be done apart from it.
	Warnings []string
}

// Write writes a profile.
func (f Format) Write(p *Profile) (Result, error) {
	w := &writer{Profile: p, format: f}
	data, err := f.write(w)
	if err != nil {
		return Result{}, err
	}
	return Result{Data: data, Secret: w.secret, Warnings: w.warnings}, nil
}

// writer writes one profile in one format.
type writer struct {
	*Profile
	format   Format
	secret   bool
	warnings []string
}

// key is a key of the connection, for messages.
func (w *writer) key(k string) string { return "connections." + w.Name + "." + k }

// warnf says what the format can't express, or what is to be done apart from it.
func (w *writer) warnf(key, format string, args ...any) {
	if s := w.key(key) + ": " + fmt.Sprintf(format, args...); !slices.Contains(w.warnings, s) {
		w.warnings = append(w.warnings, s)
	}
}

// cannot is an error that says that the format has no words for a key.
func (w *writer) cannot(key, want, format string, args ...any) error {
	return &Unsupported{Format: w.format.Name, Key: w.key(key), What: fmt.Sprintf(format, args...), Want: want}
}

// take gives a secret that is to be written, and notes that it was. It is none where nobody has asked for secrets.
func (w *writer) take(s config.Secret) ([]byte, bool) {
	if !w.WithSecret || s.Len() == 0 {
		return nil, false
	}
	w.secret = true
	return s.Bytes(), true
}

// takeText is take for formats in which a secret is text that is used as it is.
func (w *writer) takeText(key string, s config.Secret) (string, bool, error) {
	b, ok := w.take(s)
	if !ok {
		return "", false, nil
	}
	if !isText(b) {
		return "", false, w.cannot(key, "use a key of letters and digits", "it has octets that are not text, and the format has nothing else")
	}
	return string(b), true, nil
}

// isText reports whether octets are UTF-8 that can be printed on one line.
func isText(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// onlyPorts500 is the error of formats that know the ports of IKE only.
func (w *writer) onlyPort500() error {
	if w.port() != 500 {
		return w.cannot("local_port", "use port 500", "it is %d, and the client calls port 500 only", w.port())
	}
	return nil
}

// noPPK warns of, or refuses, a post-quantum preshared key where the format has none.
func (w *writer) noPPK() error {
	switch {
	case w.conn.PPKRequired:
		return w.cannot("ppk_required", "write ppk_required = false", "it is true, and the client has no post-quantum preshared keys")
	case w.PPKID != "":
		w.warnf("ppk_id", "the client has no post-quantum preshared keys, and goes without")
	}
	return nil
}

// oneRound is the error of formats whose clients prove themselves once.
func (w *writer) oneRound() error {
	if w.Second != 0 {
		return w.cannot("remote-", "leave the second round out", "the client proves itself once")
	}
	return nil
}

// anyNetworks warns of selectors that are narrower than networks: with protocols or ports.
func (w *writer) anyNetworks() {
	for _, c := range w.Children {
		for _, s := range slices.Concat(c.Own, c.Reached) {
			if s.Protocol != 0 || !s.AnyPorts() {
				w.warnf("children", "%s has protocols or ports, which the client does not ask for: the gateway narrows to them", c.Name)
				return
			}
		}
	}
}

// oneChild warns where the client makes one CHILD SA and the connection has several.
func (w *writer) oneChild() {
	if len(w.Children) > 1 {
		w.warnf("children", "there are %d, and the client makes one CHILD SA: what fits none of them as a whole is narrowed to one", len(w.Children))
	}
}
