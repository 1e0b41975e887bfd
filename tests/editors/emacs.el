;;; emacs.el --- What a user of Emacs sees, told in one batch  -*- lexical-binding: t -*-

;; Run as `emacs --batch -l emacs.el SNIPPET FILE': SNIPPET is the set-up that the documentation gives, FILE has a finding in
;; its twelfth line.  Prints what is asserted by `test_emacs.py', a fact a line.

(package-initialize)
(require 'eglot)

(defun say (name value)
  "Print a fact."
  (princ (format "%s: %s\n" name value)))

(defun until (ask)
  "The first answer of ASK that is not nil, within a minute."
  (let ((end (+ (float-time) 60)) answer)
    (while (not (setq answer (funcall ask)))
      (when (> (float-time) end)
        (error "Not in time: %S" ask))
      (sit-for 0.05))
    answer))

(defun edited ()
  "Do what eglot does when Emacs has been idle for a moment, which it never is in a batch."
  (eglot--signal-textDocument/didChange))

(defun shown ()
  "The messages of what is underlined, by line."
  (mapcar (lambda (found) (format "%d %s" (line-number-at-pos (flymake-diagnostic-beg found)) (flymake-diagnostic-text found)))
          (flymake-diagnostics)))

(let ((snippet (pop command-line-args-left))
      (file (pop command-line-args-left)))
  (load snippet)
  (find-file file)
  (call-interactively #'eglot)
  (say "shown" (until #'shown))

  (goto-char (point-min))
  (forward-line 11)
  (search-forward "check_output")
  (let (hover)
    (eglot-hover-eldoc-function (lambda (text &rest _) (setq hover text)))
    (say "hover" (replace-regexp-in-string "\n" " " (until (lambda () hover)))))

  (cl-letf ((last-nonmenu-event ?\r) ; the keyboard's way to choose
            ((symbol-function 'completing-read)
             (lambda (_prompt actions &rest _)
               (seq-find (lambda (title) (string-suffix-p "with a comment" title)) (mapcar #'car actions)))))
    (eglot-code-actions (line-beginning-position) (line-end-position) nil t))
  (say "suppressed" (buffer-substring (line-beginning-position) (line-end-position)))
  (edited)
  (until (lambda () (not (shown))))
  (say "shown after that" (shown))

  (goto-char (line-beginning-position))
  (re-search-forward " *# closeread.*")
  (replace-match "")
  (edited)
  (until #'shown)
  (let ((eglot-workspace-configuration '(:closeread (:disable ["command-injection"]))))
    (eglot-signal-didChangeConfiguration (eglot-current-server))
    (until (lambda () (not (shown)))))
  (say "shown once switched off" (shown))

  (let ((process (jsonrpc--process (eglot-current-server))))
    (eglot-shutdown (eglot-current-server)) ; an error if the server does not say goodbye
    (say "running in the end" (process-live-p process))))
