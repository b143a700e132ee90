package upstream

import "sync"

// pace counts sessions that move of their own accord, minute by minute.
type pace struct {
	mu     sync.Mutex
	minute int64 // since 1970
	count  int64
}

// mayMove counts a move, unless there have been perMinute of them in this minute. 0: no bound.
func (p *pace) mayMove(perMinute, now int64) bool {
	if perMinute == 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.minute != now/60 {
		p.minute, p.count = now/60, 0
	}
	if p.count >= perMinute {
		return false
	}
	p.count++
	return true
}
