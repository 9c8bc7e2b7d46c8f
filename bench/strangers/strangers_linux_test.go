package strangers

import (
	"strings"
	"testing"
	"time"

	"esplanade/bench/contest"
	"esplanade/integration/lab"
)

// The attacks of this command reach a gateway and leave it as it was. What takes how long is not judged here.
func TestStrangers(t *testing.T) {
	if missing := lab.Missing(); len(missing) > 0 {
		t.Skip("THE ATTACKS ARE NOT TESTED, this machine lacks: " + strings.Join(missing, "; "))
	}
	b, err := contest.NewBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure(t.Context(), b, &Options{refused: 3000, expensive: 10, duration: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.check(); err != nil {
		t.Error(err)
	}
	for _, p := range r.Phases {
		t.Logf("%s: %d of %d attempts, %d questions answered, %d not", p.Name, p.Done, p.Attempts, len(p.RoundTrips), p.Lost)
	}
}
