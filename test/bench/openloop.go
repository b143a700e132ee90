package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// runAtRate sends requests at a constant rate per second (an open loop), each by a client that is idle. The latency
// of a request begins when it was due, so a proxy that stalls delays all requests of that time.
func (l *load) runAtRate(duration time.Duration, rate float64) (sample, error) {
	late := time.AfterFunc(duration+responseTimeout, l.close)
	defer late.Stop()
	due := make(chan time.Time, 1+int(duration.Seconds()*rate))
	failed := make(chan error, 1)
	go func() {
		defer close(due)
		failed <- schedule(due, time.Duration(float64(time.Second)/rate), cap(due))
	}()
	seen, err := l.each(func(_ int, c client) (took []time.Duration, err error) {
		for at := range due {
			if err := c.(*http1Client).once(); err != nil {
				return took, err
			}
			took = append(took, time.Since(at))
		}
		return took, nil
	})
	return seen, errors.Join(err, <-failed)
}

// schedule writes when requests are due, each time that it is.
func schedule(due chan<- time.Time, interval time.Duration, requests int) error {
	clock, err := newClock(interval)
	if err != nil {
		return err
	}
	defer clock.Close()
	next := time.Now()
	for requests > 0 {
		ticks, err := readTicks(clock)
		if err != nil {
			return err
		}
		for range min(ticks, requests) {
			next = next.Add(interval)
			due <- next
		}
		requests -= ticks
	}
	return nil
}

// newClock returns a timer whose ticks are read (timerfd_create(2)). Timers of the Go runtime are late by up to a
// millisecond, because it waits in epoll_wait(2) in whole milliseconds.
func newClock(interval time.Duration) (*os.File, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("creating a timer: %w", err)
	}
	step := unix.NsecToTimespec(interval.Nanoseconds())
	times := unix.ItimerSpec{Value: step, Interval: step}
	if err := unix.TimerfdSettime(fd, 0, &times, nil); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("starting a timer: %w", err)
	}
	return os.NewFile(uintptr(fd), "timer"), nil
}

// readTicks waits for ticks, and returns their number since the last read.
func readTicks(clock *os.File) (int, error) {
	var ticks [8]byte
	if _, err := clock.Read(ticks[:]); err != nil {
		return 0, fmt.Errorf("reading a timer: %w", err)
	}
	return int(binary.NativeEndian.Uint64(ticks[:])), nil //nolint:gosec // at most a few thousand per second
}
