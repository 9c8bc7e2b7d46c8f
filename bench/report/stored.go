package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Format is the version of the JSON.
const Format = 2

// series are the samples of one metric of one contestant on one wire, as the JSON has them: a line each, so that a change of
// a figure is a change of a line.
type series struct {
	Wire       Wire      `json:"wire"`
	Contestant string    `json:"contestant"`
	Metric     Metric    `json:"metric"`
	Runs       []int     `json:"runs"`
	Values     []float64 `json:"values"`
}

// grouped are the samples as series, in the order in which the first sample of each was taken.
func (r *Results) grouped() []*series {
	type key struct {
		Wire
		contestant string
		Metric
	}
	var all []*series
	at := map[key]*series{}
	for _, s := range r.Samples {
		k := key{s.Wire, s.Contestant, s.Metric}
		if at[k] == nil {
			at[k] = &series{Wire: s.Wire, Contestant: s.Contestant, Metric: s.Metric}
			all = append(all, at[k])
		}
		at[k].Runs, at[k].Values = append(at[k].Runs, s.Run), append(at[k].Values, s.Value)
	}
	return all
}

// Write writes the JSON: everything that the report is made from.
func (r *Results) Write(w io.Writer) error {
	r.Format = Format
	head, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.Write(bytes.TrimSuffix(head, []byte("\n}")))
	b.WriteString(",\n \"series\": [")
	for i, s := range r.grouped() {
		line, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  ")
		b.Write(line)
	}
	b.WriteString("\n ]\n}\n")
	_, err = w.Write(b.Bytes())
	return err
}

// ErrFormat says that the JSON is not one that this version can read.
var ErrFormat = errors.New("not the results of a side-by-side run")

// Read reads what Write wrote.
func Read(r io.Reader) (*Results, error) {
	var stored struct {
		Results
		Series []series `json:"series"`
	}
	if err := json.NewDecoder(r).Decode(&stored); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	res := &stored.Results
	if res.Format != Format {
		return nil, fmt.Errorf("%w: format %d instead of %d", ErrFormat, res.Format, Format)
	}
	for _, s := range stored.Series {
		if len(s.Runs) != len(s.Values) {
			return nil, fmt.Errorf("%w: %s of %s has %d runs and %d values", ErrFormat, s.Metric, s.Contestant, len(s.Runs), len(s.Values))
		}
		for i, v := range s.Values {
			res.Samples = append(res.Samples, Sample{Run: s.Runs[i], Wire: s.Wire, Contestant: s.Contestant, Metric: s.Metric, Value: v})
		}
	}
	return res, nil
}
