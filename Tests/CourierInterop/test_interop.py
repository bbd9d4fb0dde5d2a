"""What the courier sends, received by stand-ins on this machine and judged by libraries of others.

One run of the Swift tests sends everything, so that every byte judged here was made by the product just now.
"""

import email
import email.policy
import http.server
import json
import os
import pathlib
import subprocess
import threading
import unittest
import urllib.parse

import aiosmtpd.controller
import dingtalkchatbot.chatbot
import standardwebhooks
from wecom_notifier.platforms.feishu.sender import FeishuSender

ROOT = pathlib.Path(__file__).resolve().parents[2]
NEW_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
ROBOT_SECRET = "SEC5a1b2c3d4e5f60718293a4b5c6d7e8f9"


class Sink(http.server.BaseHTTPRequestHandler):
    """Keeps every POST and answers as a satisfied vendor."""

    requests = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, dict(self.headers), body))
        answer = json.dumps({"errcode": 0, "errmsg": "ok", "code": 0, "msg": "success"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


class Mailbox:
    """Keeps every letter."""

    def __init__(self):
        self.envelopes = []

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append(envelope)
        return "250 2.0.0 kept"


class InteropTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        cls.mailbox = Mailbox()
        smtp = aiosmtpd.controller.Controller(cls.mailbox, hostname="127.0.0.1", port=free_port())
        smtp.start()
        cls.addClassCleanup(smtp.stop)
        cls.base = f"http://127.0.0.1:{server.server_port}"
        run = subprocess.run(
            ["swift", "test", "--disable-xctest", "--skip-build", "--filter", "InteropTests"],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {
                "ROOST_INTEROP_HTTP": cls.base,
                "ROOST_INTEROP_SMTP": str(smtp.port),
                "ROOST_INTEROP_WEBHOOK_SECRETS": f"{NEW_SECRET} {OLD_SECRET}",
                "ROOST_INTEROP_ROBOT_SECRET": ROBOT_SECRET,
            })
        if run.returncode != 0:
            raise AssertionError(f"the sending tests failed:\n{run.stdout[-4000:]}")

    def received(self, path):
        found = [request for request in Sink.requests if request[0].startswith(path)]
        self.assertTrue(found, f"nothing came to {path}")
        return found

    def test_webhooks_are_signed_as_standardwebhooks_verifies(self):
        for path, headers, body in self.received("/webhook"):
            for secret in (NEW_SECRET, OLD_SECRET):
                payload = standardwebhooks.Webhook(secret).verify(body, headers)
                self.assertEqual(sorted(payload), ["data", "timestamp", "type"])
                self.assertLessEqual(len(body), 20_000)
            with self.assertRaises(standardwebhooks.WebhookVerificationError):
                standardwebhooks.Webhook(NEW_SECRET).verify(body + b" ", headers)
            with self.assertRaises(standardwebhooks.WebhookVerificationError):
                standardwebhooks.Webhook("whsec_" + "A" * 32).verify(body, headers)

    def test_dingtalk_urls_are_those_dingtalkchatbot_makes(self):
        forms = set()
        for path, headers, body in self.received("/robot/send"):
            query = dict(urllib.parse.parse_qsl(path.split("?", 1)[1]))
            base = f"/robot/send?access_token={query['access_token']}"
            robot = dingtalkchatbot.chatbot.DingtalkChatbot(base, secret=ROBOT_SECRET)
            robot.start_time = int(query["timestamp"]) / 1000
            robot.update_webhook()
            self.assertEqual(robot.webhook, path)
            message = json.loads(body)
            forms.add(message["msgtype"])
            self.assertLessEqual(len(body), 20_000)
        self.assertEqual(forms, {"text", "markdown", "link", "actionCard", "feedCard"})

    def test_dingtalk_cards_have_the_members_dingtalkchatbot_sends(self):
        for _, _, body in self.received("/robot/send"):
            message = json.loads(body)
            if message["msgtype"] != "actionCard":
                continue
            card = message["actionCard"]
            theirs = dingtalkchatbot.chatbot.ActionCard(
                title=card["title"], text=card["text"],
                btns=[dingtalkchatbot.chatbot.CardItem(title=card["singleTitle"], url=card["singleURL"])]).get_data()
            self.assertLessEqual(set(card), set(theirs["actionCard"]))

    def test_feishu_is_signed_as_wecom_notifier_signs(self):
        sender = FeishuSender(secret=ROBOT_SECRET)
        forms = set()
        for _, _, body in self.received("/open-apis/bot/v2/hook/"):
            message = json.loads(body)
            self.assertEqual(message["sign"], sender._gen_sign(int(message["timestamp"])))
            forms.add(message["msg_type"])
        self.assertEqual(forms, {"text", "post", "interactive"})

    def test_robots_get_raw_characters(self):
        for path in ("/robot/send", "/open-apis/", "/cgi-bin/webhook/send", "/webhook"):
            for _, headers, body in self.received(path):
                self.assertIn("安家补贴".encode(), body)
                self.assertNotIn(b"\\u", body)
                self.assertTrue(headers["Content-Type"].startswith("application/json"))

    def test_letters_are_read_by_pythons_mail_library(self):
        self.assertEqual(len(self.mailbox.envelopes), 1)
        envelope = self.mailbox.envelopes[0]
        self.assertEqual(envelope.mail_from, "talents@example.org")
        self.assertEqual(envelope.rcpt_tos, ["liaison@example.org"])
        self.assertNotIn(b"\n", envelope.original_content.replace(b"\r\n", b""))
        letter = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        self.assertEqual(letter.defects, [])
        self.assertEqual(letter["Subject"], "【青年人才政策】11月政策与岗位：一个很长很长很长很长很长很长很长很长很长的标题")
        self.assertEqual(letter["From"].addresses[0].display_name, "某县人才办")
        self.assertEqual(letter["From"].addresses[0].addr_spec, "talents@example.org")
        self.assertEqual(letter["To"].addresses[0].addr_spec, "liaison@example.org")
        self.assertIsNotNone(letter["Date"].datetime)
        self.assertIn("<https://roost.example.org/u/token>", letter["List-Unsubscribe"])
        self.assertEqual(letter["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        plain = letter.get_body(("plain",)).get_content()
        html = letter.get_body(("html",)).get_content()
        for text in (plain, html):
            self.assertIn("安家补贴", text)
            self.assertIn("2026-12-31", text)
        self.assertIn("\n.\n", plain.replace("\r\n", "\n"))


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    unittest.main()
