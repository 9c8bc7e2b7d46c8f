//go:build linux

package peer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Folder is where the gateway has its folder of swanctl.
func (s *StrongSwan) Folder() string { return filepath.Join(s.dir, "swanctl") }

// aboveFolder is the file of Esplanade's that lies above the folder.
func (s *StrongSwan) aboveFolder() string { return filepath.Join(s.site.Dir, "above.toml") }

// WriteFolder puts a file into a folder of swanctl in the place of the one that is there. name is relative to the folder.
func (s *StrongSwan) WriteFolder(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(s.Folder(), name)), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.Folder(), name), text)
}

// OnFolder is an Esplanade that runs the files of a strongSwan gateway: its folder of swanctl and its strongswan.conf. The two have the same control
// socket, and can't run at the same time.
func OnFolder(t testing.TB, s *StrongSwan) *Esplanade {
	t.Helper()
	e := newEsplanade(t, s.site, Gateway{}) // its own file is not run
	e.folder = s
	write(t, s.aboveFolder(), fmt.Sprintf("[log]\nlevel = \"debug\"\n[ike]\nlease_file = %q\n", filepath.Join(s.site.Dir, "leases.db")))
	return e
}

// OnImported is OnFolder for a file that import makes of the folder and of strongswan.conf. Of the latter something may be left out, of the folder
// nothing. An error has what import says.
func OnImported(t testing.TB, s *StrongSwan) (*Esplanade, error) {
	t.Helper()
	e := OnFolder(t, s)
	e.imported = filepath.Join(s.site.Dir, "imported.toml")
	said, err := e.Offline("import", s.Folder(), filepath.Join(s.dir, "strongswan.conf"), "--force", "-o", e.imported)
	if !strings.Contains(said, e.imported+" is valid: ") || strings.Contains(said, "not carried over: "+s.Folder()) {
		return nil, fmt.Errorf("import: %w\n%s", err, said)
	}
	text, err := os.ReadFile(e.imported)
	if err != nil {
		return nil, err
	}
	leases := fmt.Sprintf("[ike]\nlease_file = %q\n", filepath.Join(s.site.Dir, "leases.db"))
	if before, after, ok := strings.Cut(string(text), "[ike]\n"); ok {
		write(t, e.imported, before+leases+after)
	} else {
		write(t, e.imported, string(text)+leases)
	}
	return e, nil
}

// Exported is the folder of swanctl that export makes of the file of an [OnImported].
func (e *Esplanade) Exported(t testing.TB) string {
	t.Helper()
	folder := filepath.Join(e.site.Dir, "exported")
	if said, err := e.Offline("export", "--as", "swanctl", "--with-secret", "-c", e.imported, "-o", folder); !strings.Contains(said, "written: "+folder+"/swanctl.conf") {
		t.Fatalf("export: %v\n%s", err, said)
	}
	return folder
}

// LoadAll has a gateway take what a folder of swanctl has, and gives what swanctl prints.
func LoadAll(p Peer, folder string) (string, error) {
	load := swanctlCommand(p, "--load-all", "--noprompt")
	load.Env = append(load.Env, "SWANCTL_DIR="+folder)
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	return p.Site().RunContext(ctx, load)
}

// arguments are those of the daemon.
func (e *Esplanade) arguments() []string {
	switch {
	case e.imported != "":
		return []string{"run", "-c", e.imported}
	case e.folder == nil:
		return []string{"run", "-c", e.ConfigPath()}
	}
	return []string{"run", "--swanctl", e.folder.Folder(), "--strongswan-conf", filepath.Join(e.folder.dir, "strongswan.conf"), "-c", e.folder.aboveFolder()}
}
