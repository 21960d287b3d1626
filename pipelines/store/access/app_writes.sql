-- What PostgreSQL demands of rows that another role than the pipeline's writes, and keeps of them.
-- Each function runs with the pipeline's rights and names its schema, so that nothing a caller made
-- can take a table's place. Messages quote no value: they end in logs.

CREATE OR REPLACE FUNCTION public.guard_app_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $body$
-- Any input row. TG_ARGV[0]: 'true' where the table has versions, of the owner in TG_ARGV[1].
DECLARE
    opaque CONSTANT text := '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';
    given jsonb := to_jsonb(NEW);
    unfit text;
    owner_key text;
    newest bigint;
    newest_at timestamptz;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'inputs are written in read committed transactions only'
            USING ERRCODE = 'check_violation';
    END IF;
    -- Runs are cut by the moment of recording; a row must not appear long after its moment.
    IF clock_timestamp() - transaction_timestamp() > interval '60 seconds' THEN
        RAISE EXCEPTION 'this transaction began over 60 s ago: begin another one'
            USING ERRCODE = 'check_violation';
    END IF;
    -- Beside shards of a run, but not within a transaction that relies on what it has read.
    PERFORM pg_advisory_xact_lock_shared({writers});
    IF NEW.recorded_by !~ opaque THEN
        RAISE EXCEPTION '%.recorded_by must be an opaque key of whoever acts: letters, digits, '
            'dots, dashes; no name and no address', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    -- Keys and subjects go on to the lake, the warehouse and logs, where nobody hides anything.
    SELECT name INTO unfit FROM jsonb_each_text(given) AS field (name, content)
    WHERE (name LIKE '%\_id' AND name <> 'external_id' AND content !~ opaque)
        OR (name = 'subject' AND content !~ '^[A-Za-z0-9.^=_*-]{1,64}$')
    LIMIT 1;
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION '%.% must be opaque: letters, digits, dots, dashes; no name and no address',
            TG_TABLE_NAME, unfit USING ERRCODE = 'check_violation';
    END IF;
    NEW.recorded_by := session_user || ':' || NEW.recorded_by;
    NEW.recorded_at := transaction_timestamp();
    IF TG_OP = 'INSERT' AND TG_ARGV[0] = 'true' THEN
        owner_key := given ->> TG_ARGV[1];
        PERFORM pg_advisory_xact_lock({owners}, hashtext(TG_TABLE_NAME || ' ' || owner_key));
        EXECUTE format(
            'SELECT version, recorded_at FROM public.%I WHERE %I = $1 ORDER BY version DESC LIMIT 1',
            TG_TABLE_NAME, TG_ARGV[1]
        ) INTO newest, newest_at USING owner_key;
        IF newest_at = transaction_timestamp() THEN
            newest := newest - 1;  -- rows of the version that this transaction writes
        END IF;
        IF NEW.version <> coalesce(newest, 0) + 1 THEN
            RAISE EXCEPTION '%.version must be the next one, and one in each transaction',
                TG_TABLE_NAME USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END
$body$;

CREATE OR REPLACE FUNCTION public.guard_app_belonging() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $body$
-- What input rows refer to, where versions leave no room for a foreign key.
DECLARE
    given jsonb := to_jsonb(NEW);
    problem text;
BEGIN
    IF TG_TABLE_NAME = 'goal' AND EXISTS (
        SELECT FROM public.goal
        WHERE goal_id = given ->> 'goal_id' AND client_id <> given ->> 'client_id'
    ) THEN
        problem := 'the goal is another client''s';
    ELSIF TG_TABLE_NAME = 'account' AND EXISTS (
        SELECT FROM public.account
        WHERE account_id = given ->> 'account_id' AND client_id <> given ->> 'client_id'
    ) THEN
        problem := 'the account is another client''s';
    ELSIF TG_TABLE_NAME = 'account' AND NOT EXISTS (
        SELECT FROM public.goal
        WHERE goal_id = given ->> 'goal_id' AND client_id = given ->> 'client_id'
    ) THEN
        problem := 'the client has no such goal';
    ELSIF TG_TABLE_NAME IN ('holding', 'tax_lot', 'cash_flow', 'transaction') AND NOT EXISTS (
        SELECT FROM public.account WHERE account_id = given ->> 'account_id'
    ) THEN
        problem := 'there is no such account';
    ELSIF TG_TABLE_NAME IN ('holding', 'tax_lot') AND given ->> 'symbol' <> '$CASH'
        AND NOT EXISTS (SELECT FROM public.instrument WHERE symbol = given ->> 'symbol') THEN
        problem := 'there is no such instrument';
    ELSIF TG_TABLE_NAME = 'cash_flow' AND EXISTS (
        SELECT FROM public.cash_flow
        WHERE cash_flow_id = given ->> 'cash_flow_id' AND account_id <> given ->> 'account_id'
    ) THEN
        problem := 'the cash flow is another account''s';
    ELSIF TG_TABLE_NAME = 'transaction' AND (
        given ->> 'kind' IN ('buy', 'sell') OR given ->> 'trade_id' IS NOT NULL
    ) THEN
        problem := 'fills come by `smartinvest fills import`, which books lots and holdings, too';
    ELSIF TG_TABLE_NAME = 'transaction' AND given ->> 'reverses' IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.transaction WHERE transaction_id = given ->> 'reverses'
            AND account_id = given ->> 'account_id' AND kind NOT IN ('buy', 'sell')
    ) THEN
        problem := 'what it reverses is a fill, or not of this account';
    ELSIF TG_TABLE_NAME = 'feedback' AND NOT EXISTS (
        SELECT FROM public.client_outcome
        JOIN public.advice_run USING (run_id)
        WHERE run_id = given ->> 'run_id' AND account_id = given ->> 'account_id'
            AND client_id = given ->> 'client_id' AND status <> 'building'
    ) THEN
        problem := 'that run gave this client no advice for this account';
    ELSIF TG_TABLE_NAME = 'feedback' AND given ->> 'trade_id' IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.trade WHERE trade_id = given ->> 'trade_id'
            AND account_id = given ->> 'account_id'
    ) THEN
        problem := 'the trade is not of this account';
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%: %', TG_TABLE_NAME, problem USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$body$;

CREATE OR REPLACE FUNCTION public.guard_app_order() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $body$
-- Of a trade an app may say one thing: that it went to the broker.
BEGIN
    PERFORM pg_advisory_xact_lock_shared({writers});
    IF NOT (OLD.status = 'proposed' AND NEW.status = 'sent') THEN
        RAISE EXCEPTION 'trade.status may go from proposed to sent only; fills do the rest'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (
        SELECT FROM public.advice_run WHERE run_id = NEW.run_id AND status = 'published'
    ) THEN
        RAISE EXCEPTION 'the trade''s run is not published' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$body$;

CREATE OR REPLACE FUNCTION public.audit_app_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $body$
-- TG_ARGV[0]: columns of the key; TG_ARGV[1]: personal columns, whose values are hidden.
DECLARE
    before jsonb := to_jsonb(OLD);
    after jsonb := to_jsonb(NEW);
    shown jsonb := coalesce(to_jsonb(NEW), to_jsonb(OLD));
    changed jsonb;
    hidden text;
BEGIN
    SELECT coalesce(jsonb_agg(name ORDER BY name), '[]') INTO changed
    FROM jsonb_object_keys(shown) AS name
    WHERE before -> name IS DISTINCT FROM after -> name;
    FOREACH hidden IN ARRAY TG_ARGV[1]::text[] LOOP
        before := before || jsonb_build_object(hidden, '***');
        after := after || jsonb_build_object(hidden, '***');
    END LOOP;
    INSERT INTO public.audit_entry (
        written_at, written_by, client_address, transaction_id, table_name, action, row_key,
        changed_columns, old_row, new_row
    ) VALUES (
        clock_timestamp(), session_user, host(inet_client_addr()), pg_current_xact_id()::text,
        TG_TABLE_NAME, lower(TG_OP),
        (SELECT jsonb_object_agg(name, shown -> name) FROM unnest(TG_ARGV[0]::text[]) AS name)::text,
        changed::text, before::text, after::text
    );
    RETURN NULL;
END
$body$;
