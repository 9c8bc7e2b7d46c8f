package hostdns

import (
	"os"
	"path/filepath"
	"strings"
)

// choose finds the method that this host uses. One that is in use stays.
func (r *Resolver) choose() method {
	has := func(name string) bool { _, err := r.o.Look(name); return err == nil }
	switch {
	case r.o.System == "darwin":
		return scutil{r.o.Run}
	case r.o.System == "linux" && has("resolvectl") && r.resolvedAsked():
		return resolved{r.o.Run}
	case has("resolvconf") && !r.resolvectlAsResolvconf():
		return resolvconf{run: r.o.Run}
	}
	return file{path: r.o.ResolvConf, log: r.o.Log}
}

// named is the method of a name; nil for none.
func (r *Resolver) named(name string) method {
	for _, m := range []method{resolved{r.o.Run}, resolvconf{run: r.o.Run}, scutil{r.o.Run}, file{path: r.o.ResolvConf, log: r.o.Log}} {
		if m.name() == name {
			return m
		}
	}
	return nil
}

// resolvedAsked reports whether this host's programs ask systemd-resolved: /etc/resolv.conf is its file, or names its address. Where it runs and
// nobody asks it, to set it would change nothing.
func (r *Resolver) resolvedAsked() bool {
	if to, err := filepath.EvalSymlinks(r.o.ResolvConf); err == nil && strings.HasPrefix(to, "/run/systemd/resolve/") {
		return true
	}
	b, err := os.ReadFile(r.o.ResolvConf)
	if err != nil {
		return false
	}
	servers, all := 0, true
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		servers++
		all = all && (f[1] == "127.0.0.53" || f[1] == "127.0.0.54")
	}
	return servers > 0 && all
}

// resolvectlAsResolvconf reports whether resolvconf is another name of resolvectl, which is of no use where nobody asks systemd-resolved.
func (r *Resolver) resolvectlAsResolvconf() bool {
	path, err := r.o.Look("resolvconf")
	if err != nil {
		return false
	}
	to, err := filepath.EvalSymlinks(path)
	return err == nil && filepath.Base(to) == "resolvectl"
}
