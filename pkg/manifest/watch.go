package manifest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Changes are coalesced, because saving a file in an editor causes several events. Files are read once no event arrived
// for quietPeriod, and at the latest maxDelay after the first event.
const (
	quietPeriod = 50 * time.Millisecond
	maxDelay    = 500 * time.Millisecond
)

// Watch calls changed with the result of Reload, immediately and after every change. Calls do not overlap.
//
// Watch supports editors that replace files by renaming, links to files, ConfigMap volumes, and deletion and
// re-creation of dir itself.
//
// It blocks until ctx is done and then returns nil. It returns an error if the watch cannot be started.
func (s *Source) Watch(ctx context.Context, changed func(*Contents, error)) error {
	dir := s.paths[0]
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	defer notify.Close()
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	w := &watcher{dir: absolute, notify: notify}
	for {
		// Watch before reading, so that a change during the read causes an event and another read.
		if err := w.watchDirectories(); err != nil {
			return fmt.Errorf("watch %s: %w", dir, err)
		}
		changed(s.Reload())
		if !w.wait(ctx) {
			return nil
		}
	}
}

// watcher watches the directories of Watch.
type watcher struct {
	dir    string
	notify *fsnotify.Watcher
	// parents are the directories in which only events of dir and root are relevant.
	parents map[string]bool
	// root is dir with symbolic links resolved, or empty while it does not exist.
	root string
}

// watchDirectories updates the set of watched directories. Only the first call can fail. Later, a directory that
// cannot be watched is being changed, and its parent directory reports that change.
func (w *watcher) watchDirectories() error {
	first := w.parents == nil
	wanted := w.directories()
	w.parents = map[string]bool{}
	for _, path := range []string{w.dir, w.root} {
		if parent := filepath.Dir(path); path != "" && !wanted[parent] {
			w.parents[parent] = true
		}
	}
	maps.Copy(wanted, w.parents)
	for directory := range wanted {
		if err := w.notify.Add(directory); err != nil && first && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, old := range w.notify.WatchList() {
		if !wanted[old] {
			_ = w.notify.Remove(old) // the directory may be deleted already
		}
	}
	return nil
}

// directories returns root, all directories below it, and the directories of link targets.
func (w *watcher) directories() map[string]bool {
	out := map[string]bool{}
	var err error
	if w.root, err = filepath.EvalSymlinks(w.dir); err != nil {
		w.root = ""
		return out
	}
	_ = filepath.WalkDir(w.root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir // deleted; the parent directory reports it
		case path != w.root && entry.IsDir() && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir():
			out[path] = true
		case entry.Type()&fs.ModeSymlink != 0:
			if target, err := filepath.EvalSymlinks(path); err == nil {
				out[filepath.Dir(target)] = true
			}
		}
		return nil
	})
	return out
}

// wait returns true after a change once events have stopped, or false when ctx is done.
func (w *watcher) wait(ctx context.Context) bool {
	var quiet, latest <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return false
		case event := <-w.notify.Events:
			if !w.isRelevant(event) {
				continue
			}
		case <-w.notify.Errors: //nolint:errcheck // events were lost: read again
		case <-quiet:
			return true
		case <-latest:
			return true
		}
		quiet = time.After(quietPeriod)
		if latest == nil {
			latest = time.After(maxDelay)
		}
	}
}

// isRelevant reports whether an event is about dir. It ignores siblings of dir, and mode changes, which reading may
// cause.
func (w *watcher) isRelevant(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	return !w.parents[filepath.Dir(event.Name)] || event.Name == w.dir || event.Name == w.root
}
