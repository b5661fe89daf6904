//go:build unix

// A writer for sessions.jsonl in Go 1.21 or newer, standard library only. Copy SessionLog into a package of yours:
//
//	log := NewSessionLog("/var/lib/lakehouse/validator/sessions.jsonl")
//	log.Append(map[string]any{"session_id": traceID, "kind": "fill", "model": "m", "iterations": 1,
//		"final_verdict": "accepted", "attempts": []any{map[string]any{"verdict": "accepted"}},
//		"grounded_in_roster": true})
//
// As a program it appends the records it reads from standard input, one JSON object per line:
//
//	go run sessionlog.go sessions.jsonl < records.jsonl
//
// docs/SESSION_LOG.md has the rules that it keeps.
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const maxLineBytes = 8 << 20

// moves are the tries of a write whose file is moved away each time.
const moves = 3

// SessionLog appends records, one line and one write(2) each. It is safe for concurrent use. Go programs do not fork;
// a child that is started anew makes a SessionLog of its own.
type SessionLog struct {
	path     string
	writerID string

	mu      sync.Mutex
	seq     int64
	fd      int
	dev     uint64
	ino     uint64
	torn    bool
	written int64
	dropped int64
}

// NewSessionLog opens nothing yet: the first record does.
func NewSessionLog(path string) *SessionLog {
	// A change of the working directory must not move the log.
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return &SessionLog{path: path, writerID: newID(), fd: -1}
}

// Append writes one record. An error means that the record is dropped and counted.
func (l *SessionLog) Append(record map[string]any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	// A dropped record burns its number, so that the loss shows as a gap.
	l.seq++
	line, err := l.line(record)
	if err == nil {
		err = l.write(line)
	}
	if err != nil {
		l.dropped++
		return err
	}
	l.written++
	return nil
}

// Stats tells how many records are in the file and how many are not.
func (l *SessionLog) Stats() (written, dropped int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written, l.dropped
}

// Close releases the descriptor; a later record opens the file again.
func (l *SessionLog) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close()
}

func (l *SessionLog) line(record map[string]any) ([]byte, error) {
	stamped := map[string]any{
		"schema":    "session.iterate.v1",
		"timestamp": time.Now().UTC().Format(time.RFC3339Nano),
		"call_id":   newID(),
	}
	for name, value := range record {
		stamped[name] = value
	}
	stamped["writer_id"] = l.writerID
	stamped["seq"] = l.seq
	// Invalid UTF-8 becomes U+FFFD here; NaN is an error.
	text, err := json.Marshal(stamped)
	if err != nil {
		return nil, err
	}
	if len(text) >= maxLineBytes {
		return nil, fmt.Errorf("record of %d bytes", len(text))
	}
	return append(text, '\n'), nil
}

func (l *SessionLog) write(line []byte) error {
	for try := 0; try < moves; try++ {
		if err := l.writeToFile(line); err != nil {
			return err
		}
		// Whoever moved the file meanwhile may have read it to its end already. Equal lines are counted once.
		if l.reopenIfMoved(); l.fd >= 0 {
			break
		}
	}
	return nil
}

func (l *SessionLog) writeToFile(line []byte) error {
	l.reopenIfMoved()
	if l.fd < 0 {
		if err := l.open(); err != nil {
			return err
		}
	}
	data := line
	if l.torn {
		data = append([]byte{'\n'}, line...)
	}
	l.torn = true
	// os.File.Write would go on after a short count, with other processes' lines in between.
	written, err := writeOnce(l.fd, data)
	if err == nil && written != len(data) {
		err = fmt.Errorf("short write: %d of %d bytes", written, len(data))
	}
	if err != nil {
		l.close()
		return err
	}
	l.torn = false
	return nil
}

func writeOnce(fd int, data []byte) (int, error) {
	for {
		written, err := syscall.Write(fd, data)
		if !errors.Is(err, syscall.EINTR) {
			return written, err
		}
	}
}

const safely = syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC

func (l *SessionLog) open() error {
	const flags = syscall.O_WRONLY | syscall.O_APPEND | syscall.O_CREAT | safely
	fd, err := syscall.Open(l.path, flags, 0o600)
	if errors.Is(err, syscall.ENOENT) {
		// The error of the second try says as much.
		_ = os.MkdirAll(filepath.Dir(l.path), 0o700)
		fd, err = syscall.Open(l.path, flags, 0o600)
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", l.path, err)
	}
	var info syscall.Stat_t
	if err := syscall.Fstat(fd, &info); err != nil {
		syscall.Close(fd)
		return err
	}
	if info.Mode&syscall.S_IFMT != syscall.S_IFREG {
		syscall.Close(fd)
		return fmt.Errorf("not a regular file: %s", l.path)
	}
	l.fd, l.dev, l.ino = fd, uint64(info.Dev), uint64(info.Ino)
	l.torn = info.Size > 0 && !endsALine(l.path, info.Size)
	return nil
}

// endsALine takes a file that may not be read for torn: a blank line is harmless, a glued one is lost.
func endsALine(path string, size int64) bool {
	fd, err := syscall.Open(path, syscall.O_RDONLY|safely, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	last := make([]byte, 1)
	n, err := syscall.Pread(fd, last, size-1)
	return err == nil && n == 1 && last[0] == '\n'
}

func (l *SessionLog) reopenIfMoved() {
	if l.fd < 0 {
		return
	}
	var info syscall.Stat_t
	err := syscall.Lstat(l.path, &info)
	if errors.Is(err, syscall.ENOENT) || err == nil && (uint64(info.Dev) != l.dev || uint64(info.Ino) != l.ino) {
		l.close()
	}
}

func (l *SessionLog) close() {
	if l.fd >= 0 {
		syscall.Close(l.fd)
		l.fd = -1
	}
}

func newID() string {
	var bytes [16]byte
	if _, err := rand.Read(bytes[:]); err != nil {
		return fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano())
	}
	return fmt.Sprintf("%x", bytes)
}

func main() {
	// Go ends a process over a file size limit; the error of the write says the same and harms nobody.
	signal.Ignore(syscall.SIGXFSZ)
	log := NewSessionLog(os.Args[1])
	input := json.NewDecoder(os.Stdin)
	input.UseNumber()
	var lastError error
	for {
		var record map[string]any
		err := input.Decode(&record)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if err := log.Append(record); err != nil {
			lastError = err
		}
	}
	log.Close()
	if _, dropped := log.Stats(); dropped > 0 {
		fmt.Fprintf(os.Stderr, "%d records dropped: %v\n", dropped, lastError)
		os.Exit(1)
	}
}
