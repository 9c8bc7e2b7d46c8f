package report

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// A metric of a contestant is one line of the JSON, however many runs there were.
func TestOneLineForAMetric(t *testing.T) {
	var b bytes.Buffer
	if err := sampleResults().Write(&b); err != nil {
		t.Fatal(err)
	}
	const want = `  {"wire":"super","contestant":"esplanade","metric":"tcp1","runs":[1,2,3],"values":[5,6,5.5]},`
	if !strings.Contains(b.String(), "\n"+want+"\n") {
		t.Errorf("no line %s in\n%s", want, b.String())
	}
	if n := strings.Count(b.String(), `"metric"`); n != len(sampleResults().grouped()) {
		t.Errorf("%d lines with a metric, %d metrics", n, len(sampleResults().grouped()))
	}
}

// What is in the repository is one run: the report is what its figures say.
func TestResultsBelongTogether(t *testing.T) {
	const dir = "../results/"
	f, err := os.Open(dir + "results.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	var readme, plot bytes.Buffer
	if err := r.Markdown(&readme); err != nil {
		t.Fatal(err)
	}
	if err := r.SVG(&plot); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"README.md": readme.Bytes(), "throughput.svg": plot.Bytes()} {
		got, err := os.ReadFile(dir + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s%s is not what results.json says: go run ./bench sidebyside --again", dir, name)
		}
	}
}
