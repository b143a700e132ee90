package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profileChanges writes profiles of the heap and of the CPU during changes, if -profiles is set.
func (b *bench) profileChanges(ctx context.Context, r *replica) error {
	if b.profiles == "" {
		return nil
	}
	if err := b.saveProfile(r, "heap", "gc=1"); err != nil {
		return err
	}
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	loaded := make(chan error, 1)
	go func() {
		loaded <- repeat(limited, costRate, func(n int) error { return b.fleet.changeIngress(ctx, b.fleet.spread(n)) })
	}()
	err := b.saveProfile(r, "profile", "seconds=10")
	cancel()
	return cmp.Or(err, <-loaded)
}

// profiling waits for profiles, which take up to 10 seconds.
var profiling = &http.Client{Timeout: time.Minute}

// saveProfile writes a profile of the replica to the directory of -profiles. query is the query of /debug/pprof.
func (b *bench) saveProfile(r *replica, name, query string) error {
	response, err := profiling.Get("http://" + r.admin + "/debug/pprof/" + name + "?" + query)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/debug/pprof/%s responds with status %d", name, response.StatusCode)
	}
	out, err := os.Create(filepath.Join(b.profiles, fmt.Sprintf("%s-%d.pprof", name, b.fleet.size)))
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = io.Copy(out, response.Body)
	return err
}
