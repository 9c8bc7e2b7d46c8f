//go:build linux

package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// nobody is the user that owns nothing.
const nobody = 65534

// TestDemo runs the demo where it has nothing: as an unprivileged user, in a network namespace with only lo.
func TestDemo(t *testing.T) {
	lab.NeedRoot(t)
	binary, err := peer.Binary()
	if err != nil {
		t.Fatal(err)
	}
	host := lab.NewLone(t)
	links, err := host.Run("ip", "-o", "link", "show", "up")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(links, "\n"); n != 1 || !strings.Contains(links, " lo:") {
		t.Fatalf("the namespace isn't empty:\n%s", links)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := host.RunContext(ctx, lab.Command{Args: []string{binary, "demo"}, User: nobody, Dir: "/", Env: []string{"HOME=/nonexistent"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out)
	for _, want := range []string{"IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA", "bit/s", "at both ends: the same", "Nothing was lost"} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo doesn't show %q", want)
		}
	}
}
