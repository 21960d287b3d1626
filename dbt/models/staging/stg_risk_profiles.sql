with source as (

    select * from {{ source('clients', 'risk_profile') }}

),

renamed as (

    select
        client_id,
        version,
        annual_income_cents,
        annual_expenses_cents,
        liquid_assets_cents,
        income_stability,
        emergency_fund_months,
        max_loss_percent,
        reaction_to_fall,
        gamble_choice,
        stated_attitude,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by client_id
