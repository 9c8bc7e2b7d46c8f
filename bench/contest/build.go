package contest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Builder builds the programs that come as Go code. Dir is where the binaries go, Root the top of this module.
type Builder struct{ Root, Dir string }

// NewBuilder finds the module that the working directory is in.
func NewBuilder(ctx context.Context, dir string) (*Builder, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	module, root, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if module != "esplanade" {
		return nil, fmt.Errorf("the working directory belongs to module %q: run this in a checkout of Esplanade", module)
	}
	return &Builder{Root: root, Dir: dir}, nil
}

// Commit is what the checkout at root is at, and whether it has changes; those of results don't count, which are not measured.
// A source archive has no commit.
func Commit(ctx context.Context, root string) (commit string, changed bool) {
	git := func(args ...string) string {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	if commit = git("rev-parse", "HEAD"); commit == "" {
		return "unknown", false
	}
	return commit, git("status", "--porcelain", "--", ".", ":!bench/results") != ""
}

// CommitText is Commit in words.
func CommitText(ctx context.Context, root string) string {
	commit, changed := Commit(ctx, root)
	if changed {
		commit += ", with changes that are not committed"
	}
	return commit
}

// Gateway is a binary of Esplanade that is there already, or the product as it is if ready is empty.
func (b *Builder) Gateway(ctx context.Context, ready string) (binary string, err error) {
	if ready != "" {
		return ready, nil
	}
	fmt.Fprintln(os.Stderr, "building Esplanade")
	return b.Esplanade(ctx)
}

// Esplanade builds the product as it is.
func (b *Builder) Esplanade(ctx context.Context) (binary string, err error) {
	return b.build(ctx, "esplanade", "./cmd/esplanade", nil)
}

// wireGuardModule is wireguard-go's module; its version is the one in go.mod.
const wireGuardModule = "golang.zx2c4.com/wireguard"

// WireGuard builds wireguard-go and gives its version.
func (b *Builder) WireGuard(ctx context.Context) (binary, version string, err error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", wireGuardModule)
	cmd.Dir = b.Root
	out, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("go list -m %s: %w", wireGuardModule, err)
	}
	binary, err = b.build(ctx, "wireguard-go", wireGuardModule, nil)
	return binary, strings.TrimSpace(string(out)), err
}

// EsplanadeWithoutEncryption builds the product with an AEAD that copies and encrypts nothing. There is no such thing in the
// product's own code, not even behind a build tag: the file is changed on its way to the compiler.
func (b *Builder) EsplanadeWithoutEncryption(ctx context.Context) (binary string, err error) {
	const file = "esp/key.go"
	source, err := os.ReadFile(filepath.Join(b.Root, file))
	if err != nil {
		return "", err
	}
	changed, err := withoutEncryption(source)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return b.build(ctx, "esplanade-without-encryption", "./cmd/esplanade", map[string][]byte{file: changed, "esp/bench_noencryption.go": []byte(noEncryption)})
}

// keyMade is a line of newKey behind which every AEAD is there.
const keyMade = "\tif e.method == methodGCM8 {\n"

// errAnchor says that the source is not what the change was made for.
var errAnchor = errors.New("the place where the AEAD is made is not found: bench/contest/build.go has to follow the code")

// withoutEncryption makes newKey take noEncryption for every AEAD.
func withoutEncryption(source []byte) ([]byte, error) {
	if bytes.Count(source, []byte(keyMade)) != 1 {
		return nil, errAnchor
	}
	return bytes.Replace(source, []byte(keyMade), []byte("\tif e.method == methodAEAD {\n\t\tk.aead = noEncryption(e.icvLen)\n\t}\n"+keyMade), 1), nil
}

// noEncryption is the AEAD: the plaintext and zeros for an ICV.
const noEncryption = `package esp

type noEncryption int

func (n noEncryption) NonceSize() int { return 12 }
func (n noEncryption) Overhead() int  { return int(n) }

func (n noEncryption) Seal(dst, _, plain, _ []byte) []byte {
	end := len(dst) + len(plain)
	out := dst[:end+int(n)]
	copy(out[len(dst):], plain)
	clear(out[end:])
	return out
}

func (n noEncryption) Open(dst, _, sealed, _ []byte) ([]byte, error) {
	if len(sealed) < int(n) {
		return nil, ErrICV
	}
	plain := sealed[:len(sealed)-int(n)]
	out := dst[:len(dst)+len(plain)]
	copy(out[len(dst):], plain) // in place: nothing is moved
	return out, nil
}
`

// build builds one program. overlay replaces files of this module, by their path in it.
func (b *Builder) build(ctx context.Context, name, what string, overlay map[string][]byte) (string, error) {
	binary := filepath.Join(b.Dir, name)
	args := []string{"build", "-trimpath", "-o", binary}
	if len(overlay) > 0 {
		replace := map[string]string{}
		for path, text := range overlay {
			at := filepath.Join(b.Dir, name+"-"+filepath.Base(path))
			if err := os.WriteFile(at, text, 0o600); err != nil {
				return "", err
			}
			replace[filepath.Join(b.Root, path)] = at
		}
		text, err := json.Marshal(map[string]any{"Replace": replace})
		if err != nil {
			return "", err
		}
		at := filepath.Join(b.Dir, name+"-overlay.json")
		if err := os.WriteFile(at, text, 0o600); err != nil {
			return "", err
		}
		args = append(args, "-overlay", at)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, what)...)
	cmd.Dir = b.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w: %s", what, err, strings.TrimSpace(string(out)))
	}
	return binary, nil
}
