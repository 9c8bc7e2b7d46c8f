package contest

import (
	"context"
	"path/filepath"
)

const (
	// ProfileEnv names the file that a binary of [Builder.EsplanadeProfiled] writes its CPU profile to.
	ProfileEnv = "ESPLANADE_BENCH_PROFILE"
	// profileAllocs is added to that name for the allocations.
	profileAllocs = ".allocs"
)

// EsplanadeProfiled builds the product with a CPU profiler that two signals start and stop: SIGUSR1 and SIGUSR2. With the
// second, what was allocated until then is written next to it, to a file that ends with profileAllocs. The product's own code
// has no profiler; a file is added on its way to the compiler. It costs a little: figures of such a binary are not to be
// compared with those of others.
func (b *Builder) EsplanadeProfiled(ctx context.Context) (binary string, err error) {
	return b.build(ctx, "esplanade-profiled", "./cmd/esplanade", map[string][]byte{
		filepath.Join("cmd", "esplanade", "bench_profile.go"): []byte(profiler),
	})
}

// profiler is the file. It works from the signal on, not from the start: what a daemon does once is not what is asked for.
const profiler = `package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

func init() {
	path := os.Getenv("` + ProfileEnv + `")
	if path == "" {
		return
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range signals {
			if s == syscall.SIGUSR2 {
				pprof.StopCPUProfile()
				f, err := os.Create(path + "` + profileAllocs + `")
				if err == nil {
					err = pprof.Lookup("allocs").WriteTo(f, 0)
				}
				if err != nil {
					panic(err)
				}
				f.Close()
				continue
			}
			f, err := os.Create(path)
			if err == nil {
				err = pprof.StartCPUProfile(f)
			}
			if err != nil {
				panic(err)
			}
		}
	}()
}
`
