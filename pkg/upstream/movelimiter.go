package upstream

import "sync"

// moveLimiter limits the number of moves per minute.
type moveLimiter struct {
	mu     sync.Mutex
	minute int64 // minutes since 1970
	count  int64
}

// allow reports whether another session may move in this minute, and counts the move. now is in Unix seconds. If
// perMinute is zero, there is no limit.
func (p *moveLimiter) allow(perMinute, now int64) bool {
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
