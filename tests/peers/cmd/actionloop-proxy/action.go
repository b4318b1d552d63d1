package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// endOfLogs marks the end of one run's logs, on each of the two streams.
const endOfLogs = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n"

const (
	// How long the proxy looks at an action that sends no ack before it believes that it runs.
	startGrace = 5 * time.Millisecond
	// How long a line that was written just before the end may take to arrive.
	lastLineGrace = 100 * time.Millisecond
)

var errExited = errors.New("command exited")
var errNoAck = errors.New("Command exited abruptly during initialization.")

// action is the executable, running: it lives through all runs.
type action struct {
	command *exec.Cmd
	input   io.Writer
	// Lines of fd 3, newline included; closed at its end.
	answers chan []byte
	// Closed when the process is gone.
	exited chan struct{}
}

// start starts the executable: a path relative to dir, which is also where it runs.
func start(dir, executable string, environment []string) (*action, error) {
	command := exec.Command("./" + executable)
	command.Dir = dir
	command.Env = environment
	// Straight to the log, as in a container: nothing in between that could reorder or buffer.
	command.Stdout = os.Stderr
	command.Stderr = os.Stderr
	// A group of its own, so that what the action started dies with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	command.ExtraFiles = []*os.File{theirs}
	err = command.Start()
	_ = theirs.Close()
	if err != nil {
		_ = output.Close()
		return nil, errExited
	}

	a := &action{command: command, input: input, answers: make(chan []byte), exited: make(chan struct{})}
	go a.readAnswers(output)
	go func() {
		_ = command.Wait()
		close(a.exited)
	}()
	return a, nil
}

// ready waits for the ack if there must be one, without a limit: that is the invoker's. Else it looks for a moment whether the
// action stays alive.
func (a *action) ready(waitForAck bool) error {
	if !waitForAck {
		select {
		case <-a.exited:
			return errExited
		case <-time.After(startGrace):
			return nil
		}
	}
	line, err := a.answer()
	if err != nil {
		return errNoAck
	}
	var ack struct {
		Ok bool `json:"ok"`
	}
	if err := json.Unmarshal(line, &ack); err != nil {
		return err
	}
	if !ack.Ok {
		return errors.New("the action did not acknowledge with ok")
	}
	return nil
}

// run hands one line to the action and returns the line it answers with, newline included.
func (a *action) run(line []byte) ([]byte, error) {
	// Errors show as a missing answer.
	_, _ = a.input.Write(append(line, '\n'))
	answer, err := a.answer()
	// One for stdout, one for stderr.
	_, _ = io.WriteString(os.Stderr, endOfLogs)
	_, _ = io.WriteString(os.Stderr, endOfLogs)
	return answer, err
}

func (a *action) answer() ([]byte, error) {
	select {
	case line, open := <-a.answers:
		return orExited(line, open)
	case <-a.exited:
	}
	// Both may have happened: an answer counts if it was written before the end.
	select {
	case line, open := <-a.answers:
		return orExited(line, open)
	case <-time.After(lastLineGrace):
		return nil, errExited
	}
}

func orExited(line []byte, open bool) ([]byte, error) {
	if !open {
		return nil, errExited
	}
	return line, nil
}

func (a *action) readAnswers(output io.Reader) {
	defer close(a.answers)
	reader := bufio.NewReader(output)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			// A line without its newline is no answer.
			return
		}
		a.answers <- line
	}
}

func (a *action) hasExited() bool {
	select {
	case <-a.exited:
		return true
	default:
		return false
	}
}

func (a *action) kill() {
	_ = syscall.Kill(-a.command.Process.Pid, syscall.SIGKILL)
}
