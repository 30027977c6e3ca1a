-- What is different in a platform of 9.0: its version, totals that are no longer net of credit, and credit notes, each with a row
-- among the payments (no gateway, no transaction, no currency): for a cancelled invoice, a refund, and credit that was used.

UPDATE tblconfiguration SET value = '9.0.5-release.1' WHERE setting = 'Version';
UPDATE tblinvoices SET total = total + credit WHERE credit > 0;
INSERT INTO tblbillingnotes (id, note_type, custom_number, client_id, date_issued, subtotal, total, status, notes)
SELECT id, 'credit', CONCAT('NC-', id), userid, '@-16', IF(credit > 0, credit, total), IF(credit > 0, credit, total), 'closed', ''
FROM tblinvoices WHERE credit > 0 OR id IN (6, 14);
INSERT INTO tblbillingnoteitems (billingnote_id, description, amount)
SELECT id, CONCAT('Nota de crédito ', custom_number), total FROM tblbillingnotes;
INSERT INTO tblaccounts (userid, currency, gateway, date, description, amountin, transid, invoiceid, type, billingnoteid)
SELECT client_id, 0, '', '@-16 03:08:00', '', total, '', id, 'invoice_billing_adjustment_credit', id FROM tblbillingnotes;
